//! Words that mean the same, read as the first of them.

use std::collections::HashMap;
use switchboard_plugin::text::Text;

/// A word or a phrase is found wherever its words follow each other; in
/// scripts without spaces these are its characters (see `Text`), so that it is
/// found amid others.
pub struct Synonyms {
    /// What each is read as: itself, where it is the first.
    meant: HashMap<Text, Text>,
    /// By the first word of some: how many words the longest of them has.
    longest: HashMap<String, usize>,
}

impl Synonyms {
    /// What is in two groups makes them one.
    pub fn new(groups: &[Vec<String>]) -> Self {
        let mut synonyms = Self { meant: HashMap::new(), longest: HashMap::new() };
        for group in groups {
            synonyms.join(group.iter().map(|it| Text::new(it)).filter(|it| !it.is_empty()));
        }
        synonyms
    }

    fn join(&mut self, group: impl Iterator<Item = Text>) {
        let group: Vec<Text> = group.collect();
        let Some(first) = group.first() else { return };
        let first = self.meant.get(first).unwrap_or(first).clone();
        for word in group {
            if let Some(begins) = word.words().next() {
                let longest = self.longest.entry(begins.to_owned()).or_default();
                *longest = word.words().count().max(*longest);
            }
            let other = self.meant.insert(word, first.clone());
            if let Some(other) = other.filter(|other| *other != first) {
                let others = self.meant.values_mut().filter(|meant| **meant == other);
                others.for_each(|meant| *meant = first.clone());
            }
        }
    }

    /// A text in which what means the same is the same. Of those that overlap,
    /// the first counts, and of those that begin together the longest: what is
    /// part of a longer one is not read for itself.
    pub fn read(&self, text: &str) -> Text {
        let text = Text::new(text);
        let words: Vec<&str> = text.words().collect();
        if !words.iter().any(|word| self.longest.contains_key(*word)) {
            return text;
        }
        let mut read = String::new();
        let mut rest = words.as_slice();
        while let Some((word, after)) = rest.split_first() {
            let (said, left) = self.first(rest).unwrap_or((word, after));
            read.push_str(said);
            read.push(' ');
            rest = left;
        }
        Text::new(&read)
    }

    /// What the words begin with is read as this, and what is left of them.
    fn first<'a>(&'a self, words: &'a [&'a str]) -> Option<(&'a str, &'a [&'a str])> {
        let longest = *self.longest.get(*words.first()?)?;
        (1..=longest.min(words.len())).rev().find_map(|size| {
            let (phrase, left) = words.split_at_checked(size)?;
            Some((self.meant.get(&Text::new(&phrase.join(" ")))?.as_str(), left))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(groups: &[&[&str]], text: &str) -> String {
        let groups: Vec<Vec<String>> =
            groups.iter().map(|group| group.iter().map(|it| (*it).into()).collect()).collect();
        Synonyms::new(&groups).read(text).as_str().into()
    }

    #[test]
    fn the_first_stands_for_all() {
        let groups: &[&[&str]] = &[&["delivery", "shipping", "home service"], &["Wi-Fi", "wifi"]];
        for (text, read) in [
            ("Shipping shipping!", "delivery delivery"),
            ("a home service at home", "a delivery at home"),
            ("WIFI, and wi fi", "wi fi and wi fi"),
            ("shippings", "shippings"),
            ("", ""),
        ] {
            assert_eq!(reads(groups, text), read, "{text}");
        }
    }

    #[test]
    fn what_is_part_of_a_longer_one_is_not_read_for_itself() {
        let groups: &[&[&str]] =
            &[&["商品", "货"], &["送货", "外卖"], &["退货", "退回"], &["配送料", "送料"]];
        for (text, read) in [
            ("货到了，有外卖吗", "商 品 到 了 有 送 货 吗"),
            ("送货", "送 货"),
            ("退回退回退货", "退 货 退 货 退 货"),
            ("送料と配送料", "配 送 料 と 配 送 料"),
        ] {
            assert_eq!(reads(groups, text), read, "{text}");
        }
    }

    #[test]
    fn groups_that_share_a_word_are_one() {
        let groups: &[&[&str]] = &[&["b", "c"], &["a", "b"], &["c", "d"]];
        assert_eq!(reads(groups, "a b c d"), "a a a a");
    }
}
