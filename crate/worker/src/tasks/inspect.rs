//! What a model file says of itself, from its header alone.

use engine::gguf::Gguf;
use protocol::{Inspect, Inspected, LONGEST_TEMPLATE};
use web_sys::File;

use super::load::open;
use crate::download::{self, ModelReader, ModelSource};
use crate::errors::{Error, Result};
use crate::store::{self, records};

/// Reads a header. A model that cannot be run can still be looked at.
pub(crate) async fn inspect(request: Inspect, picked: Vec<File>) -> Result<Inspected> {
    let (name, files) = match request {
        Inspect::File { file } => (file, picked.into_iter().take(1).collect()),
        Inspect::Stored { id } => {
            let files = stored_files(&id).await?;
            (files.first().map_or(id, File::name), files)
        }
    };
    let Some(first) = files.first() else { return Err(Error::NoFile { file: name }) };
    describe(&open(&name, ModelSource::Blob(first.clone().into()), &files)?)
}

/// The files of a stored model, each under its own name.
pub(crate) async fn stored_files(id: &str) -> Result<Vec<File>> {
    let stored = store::file(id).await?;
    let name = store::parts_of(id).map_or(id, |(name, _)| name);
    // An earlier version kept no records, and of one file only.
    match records::load(id).await {
        Some(record) => download::files(&record, &stored),
        None => download::named(&stored, name).map(|file| vec![file]),
    }
}

fn describe(gguf: &Gguf<ModelReader>) -> Result<Inspected> {
    let metadata = gguf.metadata();
    let template = metadata.opt_str("tokenizer.chat_template")?;
    Ok(Inspected {
        file: gguf.file().to_owned(),
        bytes: gguf.file_bytes(),
        license: metadata.opt_str("general.license")?.map(str::to_owned),
        template: template.map(|text| text[..text.floor_char_boundary(LONGEST_TEMPLATE)].to_owned()),
        metadata: metadata.entries(),
        types: gguf.types().into_iter().map(|(name, count, bytes)| (name, count as u32, bytes)).collect(),
        needs: engine::cpu::needs(gguf).map_err(|error| error.to_string()),
    })
}
