//! The models stored in this browser: asked for, removed, handed out, looked into.

use leptos::prelude::*;
use protocol::{Inspect, Inspected, Models, ToWorker};
use wasm_bindgen::JsValue;
use web_sys::{File, Storage};

use crate::app::App;
use crate::engine_link::device::Device;
use crate::shared::format;
use crate::shared::parts::{local_storage, save};

/// Where the browser remembers that models are stored: the engine alone can look, and it is not fetched where there is
/// nothing to see.
const REMEMBERED: &str = "nibble-models";

impl App {
    /// Lists the stored models if there were any at the last look.
    pub(crate) fn look_into_store(&self) {
        let remembered = |storage: Storage| storage.get_item(REMEMBERED).ok().flatten();
        if self.device.with_untracked(Device::supported) && local_storage().and_then(remembered).is_some() {
            self.list_models();
        }
    }

    /// Asks for the stored models.
    pub(crate) fn list_models(&self) {
        self.start_engine();
        self.bridge.send(&ToWorker::ListModels);
    }

    /// Loads a stored model.
    pub(crate) fn use_stored(&self, id: String) {
        self.model.chosen.set(Some(id));
        self.load_offer();
    }

    /// Removes one stored model.
    pub(crate) fn delete_model(&self, id: String) {
        self.problem.set(None);
        self.model.forgotten.set(None);
        self.bridge.send(&ToWorker::DeleteModel { id });
    }

    /// Has a stored model's file saved elsewhere.
    pub(crate) fn export_model(&self, id: String) {
        self.problem.set(None);
        self.bridge.send(&ToWorker::ExportModel { id });
    }

    /// Looks into a stored model.
    pub(crate) fn inspect_stored(&self, id: String) {
        self.problem.set(None);
        self.bridge.send(&ToWorker::Inspect(Inspect::Stored { id }));
    }

    /// Looks into a file of the visitor's own.
    pub(crate) fn inspect_file(&self, file: File) {
        self.problem.set(None);
        self.start_engine();
        self.bridge.send_with(&ToWorker::Inspect(Inspect::File { file: file.name() }), vec![file]);
    }

    pub(crate) fn on_models(&self, models: Models) {
        let before =
            self.model.stored.with_untracked(|stored| stored.as_ref().map(|stored| stored.models.len()));
        if before.is_some_and(|before| models.models.len() < before) {
            let left = format::counted(models.models.len() as u32, "model is", "models are");
            self.announce(format!("{left} stored in this browser."));
        }
        if let Some(storage) = local_storage() {
            // A browser that remembers nothing shows the list once the engine runs.
            let _ = match models.models.is_empty() {
                true => storage.remove_item(REMEMBERED),
                false => storage.set_item(REMEMBERED, "yes"),
            };
        }
        self.model.stored.set(Some(models));
    }

    pub(crate) fn on_inspected(&self, inspected: Inspected) {
        self.announce(format!("{} is shown below.", inspected.file));
        self.model.inspected.set(Some(inspected));
    }

    /// Saves a stored model's file where the browser saves downloads.
    pub(crate) fn on_exported(&self, name: &str, file: &File) {
        self.announce(match save(name, file) {
            Some(()) => format!("Saving {name}."),
            None => format!("The browser refused to save {name}."),
        });
    }

    /// Asks the browser not to clear this site's files by itself. It decides by its own rules, or asks the visitor.
    pub(crate) fn ask_to_persist(&self) {
        let storage =
            js_sys::Reflect::get(&window().navigator(), &"storage".into()).unwrap_or(JsValue::UNDEFINED);
        let there = js_sys::Reflect::get(&storage, &"persist".into()).is_ok_and(|ask| ask.is_function());
        if !storage.is_undefined() && there {
            // Whichever way it answers, the list says so.
            let _ = window().navigator().storage().persist();
        }
    }
}
