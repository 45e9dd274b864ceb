//! What a model file says of itself, from its header alone.

use engine::gguf::Gguf;
use protocol::{Inspect, Inspected, LONGEST_TEMPLATE};
use web_sys::File;

use super::load::{needs, open};
use crate::download::{ModelReader, ModelSource};
use crate::errors::{Error, Result};
use crate::store::{self, records};

/// Reads a header. A model that cannot be run can still be looked at.
pub(crate) async fn inspect(request: Inspect, picked: Vec<File>) -> Result<Inspected> {
    let (name, file) = match request {
        Inspect::File { file } => match picked.into_iter().next() {
            Some(picked) => (file, picked),
            None => return Err(Error::NoFile { file }),
        },
        Inspect::Stored { id } => {
            let file = store::file(&id).await?;
            let name = records::load(&id).await.map(|record| record.file);
            (name.unwrap_or(id), file)
        }
    };
    describe(&open(&name, ModelSource::Blob(file.into()), &[])?)
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
        needs: needs(gguf).map_err(|error| error.to_string()),
    })
}
