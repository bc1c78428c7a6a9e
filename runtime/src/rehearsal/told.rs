//! A file of chats with what the bot says now in the place of what it was told
//! to say.

use super::{chat::ChatFile, play::Played};
use std::collections::BTreeMap;

/// The file's text anew, where chats have differed in what the bot says. What
/// went as told stays as it is written.
pub fn blessed(file: &ChatFile, played: &[Played]) -> String {
    let mut insert: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut dropped = Vec::new();
    for block in played.iter().flat_map(|played| &played.blocks).filter(|block| block.differs) {
        // In the place of the first, or below what happens.
        let place = block.told.first().map_or(block.after, |(first, _)| first - 1);
        let came = block.came.iter().flat_map(|(_, lines)| lines.clone());
        insert.insert(place, came.collect());
        dropped.extend(block.told.iter().flat_map(|(first, last)| *first..=*last));
    }
    let mut lines = Vec::new();
    lines.extend(insert.remove(&0).unwrap_or_default());
    for (index, line) in file.text.lines().enumerate() {
        let number = index + 1;
        if !dropped.contains(&number) {
            lines.push(line.to_owned());
        }
        lines.extend(insert.remove(&number).unwrap_or_default());
    }
    lines.join("\n") + "\n"
}
