//! What kind of message it is that no answer fits.

use switchboard_plugin::{Message, text::Text};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Words that ask or want something.
    Question,
    /// A hello, and nothing else.
    Greeting,
    /// Thanks, an okay, a goodbye, an emoji: silence is a fine answer.
    Courtesy,
    /// A voice note or a recording.
    Sound,
    /// A picture without words, a sticker, a reaction, a location.
    Nothing,
}

const GREETINGS: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "hiya",
    "hello there",
    "hi there",
    "good morning",
    "good afternoon",
    "good evening",
    "good day",
    "hola",
    "buenas",
    "buenos dias",
    "buenas tardes",
    "buenas noches",
    "ola",
    "bom dia",
    "boa tarde",
    "boa noite",
    "oi",
    "bonjour",
    "bonsoir",
    "salut",
    "hallo",
    "guten tag",
    "guten morgen",
    "guten abend",
    "moin",
    "ciao",
    "buongiorno",
    "buonasera",
    "salve",
    "привет",
    "здравствуйте",
    "добрый день",
    "你好",
    "您好",
    "嗨",
    "哈喽",
    "在吗",
    "早上好",
    "晚上好",
    "こんにちは",
    "안녕하세요",
    "مرحبا",
    "السلام عليكم",
    "नमस्ते",
    "halo",
    "selamat pagi",
    "merhaba",
];
const COURTESIES: &[&str] = &[
    "thanks",
    "thank you",
    "thank you very much",
    "thanks a lot",
    "many thanks",
    "thx",
    "ty",
    "ok",
    "okay",
    "k",
    "great",
    "perfect",
    "cool",
    "nice",
    "got it",
    "alright",
    "all right",
    "bye",
    "goodbye",
    "see you",
    "you too",
    "no problem",
    "gracias",
    "muchas gracias",
    "vale",
    "perfecto",
    "genial",
    "adios",
    "hasta luego",
    "obrigado",
    "obrigada",
    "muito obrigado",
    "muito obrigada",
    "beleza",
    "tchau",
    "merci",
    "merci beaucoup",
    "d accord",
    "parfait",
    "au revoir",
    "danke",
    "danke schon",
    "vielen dank",
    "alles klar",
    "tschuss",
    "grazie",
    "grazie mille",
    "va bene",
    "arrivederci",
    "спасибо",
    "большое спасибо",
    "хорошо",
    "пока",
    "谢谢",
    "多谢",
    "谢谢你",
    "谢谢您",
    "好的",
    "好",
    "行",
    "嗯",
    "再见",
    "拜拜",
    "ありがとう",
    "ありがとうございます",
    "감사합니다",
    "شكرا",
    "धन्यवाद",
    "terima kasih",
    "tesekkurler",
];

impl Asked {
    pub fn by(message: &Message) -> Self {
        let words = message.words().unwrap_or_default();
        match message.kind() {
            "voice" | "audio" if words.trim().is_empty() => Self::Sound,
            _ if words.trim().is_empty() => Self::Nothing,
            _ => Self::in_words(words),
        }
    }

    fn in_words(words: &str) -> Self {
        let text = Text::new(words);
        let asks = words.contains(['?', '？', '؟']);
        if text.is_empty() {
            return if asks { Self::Question } else { Self::Courtesy };
        }
        let without_greetings = without(&text, GREETINGS);
        if without(&without_greetings, COURTESIES).is_empty() {
            let greets = without_greetings != text;
            return if greets { Self::Greeting } else { Self::Courtesy };
        }
        Self::Question
    }
}

/// The longest first, so that no phrase is cut by a shorter one.
fn without(text: &Text, phrases: &[&str]) -> Text {
    let mut phrases: Vec<Text> = phrases.iter().map(|phrase| Text::new(phrase)).collect();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.as_str().len()));
    let mut rest = text.clone();
    for phrase in phrases {
        while rest.contains(&phrase) {
            let spaced = format!(" {} ", rest.as_str());
            rest = Text::new(&spaced.replacen(&format!(" {} ", phrase.as_str()), " ", 1));
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_courtesies() {
        for (words, asked) in [
            ("Hello!", Asked::Greeting),
            ("hi there, good morning 😀", Asked::Greeting),
            ("hola buenas", Asked::Greeting),
            ("你好，谢谢", Asked::Greeting),
            ("Thanks a lot!!", Asked::Courtesy),
            ("ok, thank you, bye", Asked::Courtesy),
            ("谢谢你", Asked::Courtesy),
            ("👍", Asked::Courtesy),
            ("...", Asked::Courtesy),
            ("?", Asked::Question),
            ("？？", Asked::Question),
            ("hi, where is my parcel", Asked::Question),
            ("thanks but it is broken", Asked::Question),
            ("你好吗我的包裹", Asked::Question),
            ("Thankstown", Asked::Question),
        ] {
            assert_eq!(Asked::in_words(words), asked, "{words}");
        }
    }
}
