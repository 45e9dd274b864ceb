//! A model in several files, `NAME-00001-of-00003.gguf` and so on: each has a header with its own tensors, the first
//! one has everything else. Keys `split.no` (from 0) and `split.count`, as llama.cpp's gguf-split writes them.

use std::collections::HashSet;
use std::io::{Read, Seek};

use super::file::Gguf;
use crate::error::{Error, Result};

/// Digits of a number in a shard's name.
const DIGITS: usize = 5;

/// Name of shard `number` (from 1), given any shard's name; `None` where that is not one of `count`.
pub fn shard_name(any: &str, number: usize, count: usize) -> Option<String> {
    let stem = any.strip_suffix(&format!("-of-{count:0DIGITS$}.gguf"))?;
    let (before, digits) = stem.split_at_checked(stem.len().checked_sub(DIGITS)?)?;
    let stem = before.strip_suffix('-').filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("{stem}-{number:0DIGITS$}-of-{count:0DIGITS$}.gguf"))
}

impl<R: Read + Seek> Gguf<R> {
    /// Which part this file is (from 0) of how many; (0, 1) for a whole one.
    ///
    /// # Errors
    /// The keys hold no such numbers.
    pub fn shard(&self) -> Result<(usize, usize)> {
        let count = self.metadata.opt_usize("split.count")?.unwrap_or(1).max(1);
        let number = self.metadata.opt_usize("split.no")?.unwrap_or(0);
        if number >= count {
            let cause = format!("it says that it is part {number} of {count}, counted from 0");
            return Err(Error::BadFile { file: self.file.clone(), cause });
        }
        Ok((number, count))
    }

    /// Refuses a file that is one of several, by the name of one that is missing. `have`: names of those that are here.
    ///
    /// # Errors
    /// A part is missing.
    pub fn expect_whole(&self, have: &[&str]) -> Result<()> {
        let (_, count) = self.shard()?;
        if have.len() >= count {
            return Ok(());
        }
        let names = (1..=count).map_while(|number| shard_name(&self.file, number, count));
        let missing = names.into_iter().find(|name| !have.contains(&name.as_str()));
        let cause = match missing {
            Some(name) => format!(
                "it is one of {count} files of a model, and {name} is missing; choose all of them together"
            ),
            None => format!("it is one of {count} files of a model; choose all of them together"),
        };
        Err(Error::BadFile { file: self.file.clone(), cause })
    }

    /// One model of all its parts; a whole file is its only part. `reader` reads the files one behind the other, in the
    /// order of `parts`, which is that of their numbers.
    ///
    /// # Errors
    /// A part is missing, stands in the wrong place or comes twice, or two have a tensor of the same name.
    pub fn join<S: Read + Seek>(parts: Vec<Gguf<S>>, reader: R) -> Result<Self> {
        let bad = |file: &str, cause: String| Error::BadFile { file: file.to_owned(), cause };
        let names: Vec<String> = parts.iter().map(|part| part.file.clone()).collect();
        let have: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut parts = parts.into_iter().enumerate();
        let Some((_, first)) = parts.next() else {
            return Err(bad("the model", "no file was given".to_owned()));
        };
        let (number, count) = first.shard()?;
        first.expect_whole(&have)?;
        if number != 0 || have.len() != count {
            let cause = format!("it is part {} of {count}, and {} files were given", number + 1, have.len());
            return Err(bad(&first.file, cause));
        }
        let Gguf { file, mut file_bytes, mut metadata, mut tensors, .. } = first;
        let mut known: HashSet<String> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
        for (place, part) in parts {
            if part.shard()? != (place, count) {
                let (number, of) = part.shard()?;
                let cause = format!(
                    "it is part {} of {of}, and part {} of {count} belongs here",
                    number + 1,
                    place + 1
                );
                return Err(bad(&part.file, cause));
            }
            for mut tensor in part.tensors {
                if !known.insert(tensor.name.clone()) {
                    let cause = format!("another part has the tensor {} too", tensor.name);
                    return Err(bad(&part.file, cause));
                }
                tensor.offset += file_bytes;
                tensors.push(tensor);
            }
            file_bytes += part.file_bytes;
        }
        // It is whole now.
        metadata.forget("split.count");
        Ok(Self { file, file_bytes, metadata, tensors, reader })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use candle_core::quantized::GgmlDType;
    use candle_core::quantized::gguf_file::Value;

    use super::*;
    use crate::testing;

    /// The tiny model in two files, tensors dealt out in turn.
    fn shards() -> [Vec<u8>; 2] {
        [0, 1].map(|part| {
            let mut metadata = if part == 0 { testing::metadata() } else { Vec::new() };
            metadata.push(("split.no".to_owned(), Value::U16(part as u16)));
            metadata.push(("split.count".to_owned(), Value::U16(2)));
            let dealt = testing::tensors(GgmlDType::Q4_1).into_iter().enumerate();
            let dealt: Vec<_> = dealt.filter(|(i, _)| i % 2 == part).map(|(_, tensor)| tensor).collect();
            testing::write(&metadata, &dealt)
        })
    }

    fn open(number: usize, bytes: &[u8]) -> Gguf<Cursor<Vec<u8>>> {
        let name = shard_name("tiny-00001-of-00002.gguf", number, 2).unwrap();
        Gguf::open(&name, Cursor::new(bytes.to_vec())).unwrap()
    }

    #[test]
    fn a_model_in_two_files_is_the_model_in_one() {
        let [first, second] = shards();
        let joined = Cursor::new([first.as_slice(), &second].concat());
        let mut joined = Gguf::join(vec![open(1, &first), open(2, &second)], joined).unwrap();
        let whole = testing::file(GgmlDType::Q4_1);
        let mut whole = Gguf::open("tiny.gguf", Cursor::new(&whole)).unwrap();
        let names: Vec<String> = whole.tensors().iter().map(|tensor| tensor.name.clone()).collect();
        assert_eq!(joined.tensors().len(), names.len());
        let (mut want, mut got) = (Vec::new(), Vec::new());
        for name in names {
            whole.read(&name, &mut want).unwrap();
            joined.read(&name, &mut got).unwrap();
            assert_eq!(want, got, "{name}");
        }
        let key = "tokenizer.ggml.tokens";
        assert_eq!(whole.texts(key).unwrap().get(7), joined.texts(key).unwrap().get(7));
    }

    #[test]
    fn a_missing_shard_is_named_and_a_wrong_order_refused() {
        let [first, second] = shards();
        let refusal = |parts: Vec<Gguf<Cursor<Vec<u8>>>>| {
            Gguf::join(parts, Cursor::new(Vec::new())).err().map(|error| error.to_string()).unwrap()
        };
        assert!(refusal(vec![open(1, &first)]).contains("tiny-00002-of-00002.gguf is missing"));
        assert!(refusal(vec![open(2, &second)]).contains("tiny-00001-of-00002.gguf is missing"));
        assert!(refusal(vec![open(2, &second), open(1, &first)]).contains("part 2 of 2"));
        assert!(refusal(vec![open(1, &first), open(1, &first)]).contains("part 2 of 2 belongs here"));
    }

    #[test]
    fn names_of_shards_follow_from_one_another() {
        let name = "a-b-00002-of-00003.gguf";
        assert_eq!(shard_name(name, 1, 3).as_deref(), Some("a-b-00001-of-00003.gguf"));
        for odd in [
            "a.gguf",
            "a-00002-of-00004.gguf",
            "0002-of-00003.gguf",
            "-of-00003.gguf",
            "a-0000é-of-00003.gguf",
        ] {
            assert_eq!(shard_name(odd, 1, 3), None, "{odd}");
        }
    }
}
