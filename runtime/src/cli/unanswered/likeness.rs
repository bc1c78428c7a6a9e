//! Which questions ask the same. Pure, and the same for the same questions.
//!
//! A question is a list of weighted features: its words; three letters each
//! of what they are spelt with, so that a plural or a slip of the keyboard is
//! near; and where a script has no spaces, its characters and pairs of them.
//! What many questions share weighs less, and what says how one asks rather
//! than what for ("do you have", "请问") almost nothing. Two questions are as
//! alike as the angle between their lists is small. One joins the group to
//! whose members it is most alike on average, if that is enough, and begins a
//! group of its own if not. When all have a place each is asked once more,
//! since the first ones knew few groups.

use super::text::{Text, stands_alone};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// From this likeness on (0 to 1) a question joins a group. Found on
/// questions of a bank's customers: at half of it groups mix several things,
/// at twice most questions stay alone.
const ALIKE: f32 = 0.22;
/// What a word or a character weighs that says how one asks.
const ASIDE: f32 = 0.1;

/// The questions of each group, by their place in `texts`, the most typical
/// first. The groups are in the order in which `texts` first has one of each.
pub fn groups(texts: &[Text]) -> Vec<Vec<usize>> {
    let vectors = vectors(texts);
    let mut groups = Groups::default();
    let mut joined: Vec<usize> = vectors.iter().map(|vector| groups.join(vector)).collect();
    for (vector, group) in vectors.iter().zip(&mut joined) {
        groups.leave(vector, *group);
        *group = groups.join(vector);
    }
    let mut found: Vec<Vec<(f32, usize)>> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (text, (group, vector)) in joined.into_iter().zip(&vectors).enumerate() {
        let typical = groups.products(vector).get(group).copied().unwrap_or_default();
        let next = places.len();
        match found.get_mut(*places.entry(group).or_insert(next)) {
            Some(members) => members.push((typical, text)),
            None => found.push(vec![(typical, text)]),
        }
    }
    let sorted = |mut members: Vec<(f32, usize)>| {
        members.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        members.into_iter().map(|(_, text)| text).collect()
    };
    found.into_iter().map(sorted).collect()
}

/// What most of a group's questions have and few others: up to three words,
/// or some characters, in the order of its most typical question. Characters
/// that follow each other there are one word.
pub fn telling(texts: &[Text], group: &[usize]) -> Vec<String> {
    const WORDS: usize = 3;
    const CHARACTERS: usize = 6;
    let members: Vec<&Text> = group.iter().filter_map(|at| texts.get(*at)).collect();
    let Some(typical) = members.first() else { return Vec::new() };
    let says = |text: &Text, word: &str| text.words().any(|own| own == word);
    let heard = |word: &str| members.iter().filter(|text| says(text, word)).count();
    let everywhere = |word: &str| texts.iter().filter(|text| says(text, word)).count();
    let mut words: Vec<(usize, usize, &str)> = Vec::new();
    for word in typical.words().filter(|word| !is_aside(word) && !is_number(word)) {
        if !words.iter().any(|(.., own)| *own == word) {
            words.push((heard(word), everywhere(word), word));
        }
    }
    let most = |words: &[(usize, usize, &str)]| {
        words.iter().filter(|(heard, ..)| heard * 2 > members.len()).count()
    };
    words.sort_by_key(|(heard, everywhere, _)| (Reverse(*heard), *everywhere));
    let limit = match words.iter().any(|(.., word)| alone(word)) {
        true => CHARACTERS,
        false => WORDS,
    };
    words.truncate(most(&words).clamp(1, limit));
    joined(typical, words.into_iter().map(|(.., word)| word).collect())
}

fn joined(text: &Text, mut chosen: Vec<&str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before = "";
    for word in text.words() {
        let Some(at) = chosen.iter().position(|it| *it == word) else {
            before = "";
            continue;
        };
        chosen.swap_remove(at);
        match found.last_mut() {
            Some(last) if alone(word) && alone(before) => last.push_str(word),
            _ => found.push(word.to_owned()),
        }
        before = word;
    }
    found
}

/// Groups as the sums of their members.
#[derive(Default)]
struct Groups {
    /// By feature: what each group has of it.
    at: HashMap<u64, Vec<(usize, f32)>>,
    sizes: Vec<f32>,
}

/// By feature, of length one.
type Vector = Vec<(u64, f32)>;

impl Groups {
    fn join(&mut self, vector: &Vector) -> usize {
        let mut best = (ALIKE, self.sizes.len());
        for (group, (product, size)) in self.products(vector).iter().zip(&self.sizes).enumerate() {
            // What has left leaves a rounding error behind.
            if *size > 0.0 && product / size > best.0 {
                best = (product / size, group);
            }
        }
        let (_, group) = best;
        if group == self.sizes.len() {
            self.sizes.push(0.0);
        }
        self.add(vector, group, 1.0);
        group
    }

    fn leave(&mut self, vector: &Vector, group: usize) {
        self.add(vector, group, -1.0);
    }

    /// What the likenesses to the members of each group come to.
    fn products(&self, vector: &Vector) -> Vec<f32> {
        let mut products = vec![0.0; self.sizes.len()];
        for (feature, weight) in vector {
            for (group, sum) in self.at.get(feature).into_iter().flatten() {
                if let Some(product) = products.get_mut(*group) {
                    *product += weight * sum;
                }
            }
        }
        products
    }

    fn add(&mut self, vector: &Vector, group: usize, times: f32) {
        self.sizes.get_mut(group).into_iter().for_each(|size| *size += times);
        for (feature, weight) in vector {
            let sums = self.at.entry(*feature).or_default();
            match sums.binary_search_by_key(&group, |(group, _)| *group) {
                Ok(at) => sums.get_mut(at).into_iter().for_each(|(_, sum)| *sum += times * weight),
                Err(at) => sums.insert(at, (group, times * weight)),
            }
        }
    }
}

fn vectors(texts: &[Text]) -> Vec<Vector> {
    let features: Vec<Vec<(u64, f32)>> = texts.iter().map(features).collect();
    let rare = rarity(features.iter().map(|own| own.iter().map(|(feature, _)| *feature)));
    let weighed = |own: Vec<(u64, f32)>| {
        let mut own: Vector = own
            .into_iter()
            .map(|(feature, weight)| {
                (feature, weight * rare.get(&feature).copied().unwrap_or_default())
            })
            .collect();
        let length = own.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        own.iter_mut().for_each(|(_, weight)| *weight /= length.max(f32::MIN_POSITIVE));
        own
    };
    features.into_iter().map(weighed).collect()
}

/// How few of all texts have each thing.
fn rarity<T: Eq + std::hash::Hash>(
    texts: impl ExactSizeIterator<Item = impl Iterator<Item = T>>,
) -> HashMap<T, f32> {
    /// As if there were so many more without it: among five questions, what two
    /// share is no common word.
    const OTHERS: f32 = 200.0;
    let all = texts.len() as f32 + OTHERS;
    let mut counts: HashMap<T, f32> = HashMap::new();
    texts.flatten().for_each(|thing| *counts.entry(thing).or_default() += 1.0);
    counts.into_iter().map(|(thing, count)| (thing, (1.0 + all / count).ln())).collect()
}

/// Each once, sorted.
fn features(text: &Text) -> Vec<(u64, f32)> {
    let mut found: Vec<(u64, f32)> = Vec::new();
    let mut before = "";
    for word in text.words() {
        let aside = |word: &str| is_aside(word) || is_number(word);
        let weight = if aside(word) { ASIDE } else { 1.0 };
        found.push((feature(&[word]), weight));
        if alone(word) {
            if alone(before) {
                let pair = weight * if aside(before) { ASIDE } else { 1.0 };
                found.push((feature(&[before, word]), pair.sqrt()));
            }
        } else if weight == 1.0 {
            letters(word, &mut found);
        }
        before = word;
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    found.dedup_by_key(|(feature, _)| *feature);
    found
}

/// Three letters each, which together weigh as much as the word.
fn letters(word: &str, found: &mut Vec<(u64, f32)>) {
    let spelt: Vec<char> = format!("<{word}>").chars().collect();
    let count = spelt.len().saturating_sub(2);
    let weight = 1.0 / (count.max(1) as f32).sqrt();
    for three in spelt.windows(3) {
        found.push((feature(&["~", &three.iter().collect::<String>()]), weight));
    }
}

/// FNV-1a: two features that fall together do no harm.
fn feature(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit())
}

fn alone(word: &str) -> bool {
    word.chars().next().is_some_and(stands_alone)
}

fn is_aside(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| ASIDES.split_whitespace().collect());
    KNOWN.contains(word)
}

/// How one asks rather than what for, in languages in which many ask. In the
/// form of `Text`: lower case, without accents and apostrophes, one character each
/// where there are no spaces.
const ASIDES: &str = "\
    a about after again all also am an and any anyone anything are as at be been but by can cannot \
    cant could did do does doing done dont for from get got had has hav have havent having hello hey \
    hi how i id if ill im in into is isnt it its ive just know let like me my need no not now of off \
    ok on one or our please pls possible really should so some something tell than thanks that thats \
    the their them then there these they this those to too u up us very want was we were what whats \
    when where which while who why will with wont would you your yours \
    al algo alguien alguna algun como con cual cuales cuando cuanto cuanta de del donde e el ella en \
    era es esta estan este esto favor gracias ha hay he hola la las le les lo los me mi mis muy no nos \
    o para pero por porque puede pueden puedo que quiero quisiera se ser si sin son su sus te tengo \
    tiene tienen tu un una uno usted ustedes y ya yo \
    ao aos boa bom da das do dos eu faz fazer gostaria isso mais nao na nas no obrigado oi ola os ou \
    pode posso pra qual quando quero sao sem seu sua tem tenho tudo uma um voce voces \
    au aux avec avez bonjour c ce cela ces cette comment d dans des du elle est et etes ici il ils \
    j je l les leur m ma mais merci mes moi mon n ne nous on ou par pas peut peux pour pourquoi puis \
    qu quand que quel quelle quels qui s sa sans ses sont sur svp t ton tres une va veux votre vos vous \
    ab aber als am auch auf aus bei bin bitte brauche da danke das dass dem den der die du ein eine einen \
    einer eines er es fur gibt haben hallo hat hatte ich ihr ihre ihren im ist kann kannst kein keine \
    konnen man mein meine mir mit mochte muss nach nicht noch nur oder schon sein sich sie sind und uns \
    vom von wann warum was welche wenn wer wie wird wo zu zum zur \
    ada adalah apa apakah bagaimana berapa bisa boleh dan dari dengan di halo ini itu kak kami ke mau \
    min mohon saya tidak tolong untuk yang \
    的 了 吗 嘛 呢 吧 啊 呀 哦 你 您 们 我 他 她 它 有 没 请 问 可 以 是 否 不 在 什 么 怎 样 会 能 想 要 这 那 哪 谁 \
    和 跟 都 就 还 也 很 个 给 对 把 被 \
    は を に が で と の も か ま す し た て い な あ り る れ ん よ ね こ そ ど う さ く だ";

#[cfg(test)]
mod tests;
