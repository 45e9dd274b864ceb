//! Which cloud is simulated: the service, its connection, the seed.

use latency::cloud::Connection;
use leptos::prelude::*;

use crate::app::App;
use crate::compare::state::comparison::Race;
use crate::compare::view::yours::yours;
use crate::shared::settings;

/// Connections by their names in the form.
const CONNECTIONS: [(&str, &str, Connection); 3] = [
    ("cold", "new: TCP and TLS 1.3", Connection::Cold),
    ("quic", "new: QUIC", Connection::ColdQuic),
    ("warm", "already open", Connection::Warm),
];

/// The form; it waits while a race is on.
pub(crate) fn controls(app: App) -> impl IntoView {
    let race = app.race;
    view! {
        <fieldset class="controls" aria-label="What is simulated" disabled=move || app.live.is_on()>
            {services(race)}
            {connection(race)}
            {seed(race)}
        </fieldset>
        <p class="hint" id="cloud-connection-hint">
            {move || race.is_whole().then_some("These times include the network: no round trip is added.")}
        </p>
        <p class="field-problem" id="cloud-seed-problem">{move || seed_problem(race)}</p>
        {move || race.is_yours().then(|| yours(app))}
    }
}

fn services(race: Race) -> impl IntoView {
    let all = race.labels();
    let own = all.len();
    let option = move |(index, label): (usize, String)| {
        view! { <option value=index.to_string() selected=move || race.chosen.get() == index>{label}</option> }
    };
    let group = |whole: bool| {
        let of = all.iter().enumerate().filter(move |(_, (_, is_whole))| *is_whole == whole);
        of.map(|(index, (label, _))| option((index, label.clone()))).collect_view()
    };
    view! {
        <label class="stacked">
            "Preset"
            <select data-testid="cloud-preset" on:change:target=move |event| {
                if let Ok(index) = event.target().value().parse() {
                    race.choose(index);
                }
            }>
                <optgroup label="Stage by stage: network and server apart">{group(false)}</optgroup>
                <optgroup label="Published end to end: network included">{group(true)}</optgroup>
                <optgroup label="Your own">{option((own, "Your numbers".to_owned()))}</optgroup>
            </select>
        </label>
    }
}

fn connection(race: Race) -> impl IntoView {
    view! {
        <label class="stacked">
            "Connection"
            <select
                data-testid="cloud-connection"
                aria-describedby="cloud-connection-hint"
                disabled=move || race.is_whole()
                on:change:target=move |event| {
                    let key = event.target().value();
                    if let Some((.., connection)) = CONNECTIONS.iter().find(|(name, ..)| *name == key) {
                        race.connection.set(*connection);
                    }
                }
            >
                {CONNECTIONS.map(|(key, label, connection)| view! {
                    <option value=key selected=move || race.connection.get() == connection>{label}</option>
                }).into_iter().collect_view()}
            </select>
        </label>
    }
}

fn seed_problem(race: Race) -> Option<String> {
    race.seed.with(|text| settings::read_seed(text)).err()
}

fn seed(race: Race) -> impl IntoView {
    view! {
        <label class="stacked">
            "Seed"
            <input
                type="text"
                inputmode="numeric"
                autocomplete="off"
                data-testid="cloud-seed"
                aria-describedby="cloud-seed-problem"
                aria-invalid=move || seed_problem(race).is_some().then_some("true")
                prop:value=move || race.seed.get()
                on:input:target=move |event| race.seed.set(event.target().value())
            />
        </label>
    }
}
