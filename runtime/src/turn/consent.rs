//! Whether a whole message says that its writer wants no more marketing, or
//! wants it again: words in the languages of most of WhatsApp's users, and
//! those that the owner adds. Compares words; what follows, `run` does.

use crate::config::ConsentWords;
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// What a message says of marketing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Stop,
    Start,
}

/// The words of both wishes, in their plain form.
#[derive(Clone, Debug, Default)]
pub struct Words {
    stop: HashSet<String>,
    start: HashSet<String>,
}

/// A longer message, in characters, says more than a word.
const MESSAGE_CHARS: usize = 60;

/// By language. Words that are everyday answers (cancel, end, no) are left to
/// the owner, as are those with which a menu is opened.
const STOP: [&[&str]; 24] = [
    // English
    &["stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "stop promotions"],
    // Spanish
    &["baja", "darme de baja", "dar de baja", "no molestar"],
    // Portuguese
    &["parar", "pare", "sair", "descadastrar", "cancelar inscrição"],
    // French
    &["arrêt", "arrêter", "arrêtez", "désabonner", "me désabonner", "désinscription"],
    // German
    &["abmelden", "abbestellen", "austragen", "stopp"],
    // Italian
    &["disiscrivimi", "cancellami", "annulla iscrizione", "basta"],
    // Dutch
    &["afmelden", "uitschrijven"],
    // Swedish, Norwegian, Danish
    &["avregistrera", "avmeld", "afmeld"],
    // Polish
    &["rezygnuję", "wypisz", "wypisz mnie"],
    // Turkish
    &["dur", "durdur", "iptal", "abonelikten çık"],
    // Russian, Ukrainian
    &["стоп", "отписаться", "отписка", "отпишите меня", "відписатися"],
    // Greek
    &["στοπ", "διακοπή", "διαγραφή"],
    // Arabic
    &["توقف", "إيقاف", "إلغاء", "إلغاء الاشتراك", "ايقاف الرسائل"],
    // Hebrew
    &["הסר", "הסירו אותי", "עצור"],
    // Persian, Urdu
    &["لغو", "لغو اشتراک", "توقف کنید", "روکیں", "بند کریں"],
    // Hindi
    &["रोकें", "रोको", "बंद करें", "बंद करो", "सदस्यता समाप्त"],
    // Bengali
    &["বন্ধ", "বন্ধ করুন"],
    // Indonesian, Malay
    &["berhenti", "berhenti langganan", "henti"],
    // Vietnamese
    &["dừng", "dừng lại", "hủy đăng ký"],
    // Thai
    &["หยุด", "ยกเลิกการสมัคร", "เลิกรับ"],
    // Chinese
    &["停止", "退订", "退訂", "取消订阅", "取消訂閱", "td"],
    // Japanese
    &["やめる", "停止する", "配信停止", "登録解除", "ストップ"],
    // Korean
    &["수신거부", "수신 거부", "중지", "그만"],
    // Swahili
    &["acha", "simama", "jiondoe"],
];

/// Fewer, as a yes must be plain: not those with which one registers for
/// something else.
const START: [&[&str]; 14] = [
    &["start", "unstop", "subscribe", "opt in", "optin", "resubscribe"],
    &["alta", "darme de alta", "suscribirme"],
    &["voltar a receber"],
    &["m'abonner", "me réabonner"],
    &["abonnieren"],
    &["iscrivimi"],
    &["başlat", "abone ol"],
    &["старт", "подписаться", "підписатися"],
    &["اشترك"],
    &["शुरू करें", "सदस्यता लें"],
    &["berlangganan"],
    &["订阅", "訂閱", "重新订阅"],
    &["配信再開"],
    &["수신동의", "수신 동의"],
];

impl Words {
    /// The host's words and the owner's.
    pub fn new(own: &ConsentWords) -> Self {
        let set = |host: &[&[&str]], own: &[String]| {
            let host = host.iter().copied().flatten().map(|word| plain(word));
            host.chain(own.iter().map(|word| plain(word))).filter(|word| !word.is_empty()).collect()
        };
        let stop: HashSet<String> = set(&STOP, &own.stop);
        // Who means both gets no marketing.
        let start: HashSet<String> = set(&START, &own.start);
        let start = start.into_iter().filter(|word| !stop.contains(word)).collect();
        Self { stop, start }
    }

    /// None: it says something else.
    pub fn wish(&self, message: &str) -> Option<Wish> {
        if message.chars().nth(MESSAGE_CHARS).is_some() {
            return None;
        }
        let said = plain(message);
        match (self.stop.contains(&said), self.start.contains(&said)) {
            (true, _) => Some(Wish::Stop),
            (_, true) => Some(Wish::Start),
            _ => None,
        }
    }
}

/// Without case, accents, width, vowel points, punctuation and more than one
/// space.
fn plain(text: &str) -> String {
    let folded: String = text.to_lowercase().nfkd().filter(|c| !is_mark(*c)).collect();
    let words = folded.split(|c: char| !c.is_alphanumeric() && !joins(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    // Full-width letters have no case before their width is gone.
    words.join(" ").to_lowercase()
}

/// Accents of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic,
/// the line that stretches Arabic words, and what is not seen at all. The vowel
/// signs of Indian scripts are letters of the word and stay.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{640}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// What is no letter and still within a word: viramas and other signs.
fn joins(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(message: &str) -> Option<Wish> {
        Words::new(&ConsentWords::default()).wish(message)
    }

    #[test]
    fn stop_is_heard_in_many_languages_and_spellings() {
        for said in [
            "STOP",
            "stop",
            " Stop! ",
            "S\u{301}top.",
            "ＳＴＯＰ",
            "stop 🛑",
            "Unsubscribe",
            "BAJA",
            "ARRÊT",
            "arret",
            "Abmelden.",
            "PARAR",
            "sair",
            "STOPP",
            "停止",
            "退订",
            "退訂。",
            "やめる",
            "配信停止",
            "수신거부",
            "СТОП",
            "стоп!!",
            "توقف",
            "إلغاء",
            "الغاء",
            "تَوَقَّف",
            "रोकें",
            "रोकें।",
            "Berhenti",
            "dur",
            "İPTAL",
            "IPTAL",
            "opt-out",
            "Στοπ",
            "dừng",
            "หยุด",
            "הסר",
            "stop\u{fe0f}",
            "stop\n",
            "**stop**",
            "ｽﾄｯﾌﾟ",
        ] {
            assert_eq!(wish(said), Some(Wish::Stop), "{said}");
        }
    }

    #[test]
    fn start_is_heard_too() {
        for said in ["START", "alta", "Unstop", "订阅", "Старт", "başlat", "수신동의", "m’abonner"]
        {
            assert_eq!(wish(said), Some(Wish::Start), "{said}");
        }
    }

    #[test]
    fn only_the_whole_message_counts() {
        for said in [
            "anmelden",
            "inscription",
            "stop sending me the wrong size",
            "please do not stop",
            "non-stop",
            "stopwatch",
            "",
            "!",
            "रुकें",
            "baja california",
            "cancel",
            "end",
            "no",
            "停止して",
            "s t o p",
        ] {
            assert_eq!(wish(said), None, "{said}");
        }
        assert_eq!(wish(&format!("stop{}", "!".repeat(MESSAGE_CHARS))), None);
    }

    #[test]
    fn the_owner_adds_words() {
        let own = ConsentWords {
            stop: vec!["No más ofertas".into(), "…".into(), "subscribe".into()],
            start: vec!["Hazme caso".into(), "stop".into()],
        };
        let words = Words::new(&own);
        assert_eq!(words.wish("no mas ofertas!"), Some(Wish::Stop));
        assert_eq!(words.wish("hazme  caso"), Some(Wish::Start));
        assert_eq!(words.wish("stop"), Some(Wish::Stop));
        // Who means both means no.
        assert_eq!(words.wish("subscribe"), Some(Wish::Stop));
        assert_eq!(words.wish("!?"), None, "what is empty means nothing");
    }
}
