//! What the directory lets pass, and what it says where it does not.

use super::*;
use crate::{
    config::{ChannelConfig, ContentConfig, ContentForm, ProviderKind},
    provider::{meta::Meta, twilio::Twilio},
};

const NOW: Millis = 1_000_000;

pub(super) fn form(name: &str, language: &str, body: &str) -> TemplateForm {
    TemplateForm {
        id: "1".into(),
        name: name.into(),
        language: language.into(),
        status: TemplateStatus::Approved,
        reason: None,
        quality: None,
        category: Some(Category::Utility),
        named: body.contains("{{n"),
        row: None,
        parts: FormParts { body: Some(body.into()), ..FormParts::default() },
        footer: None,
        offer: None,
        cards: Vec::new(),
        news_at: None,
    }
}

/// A channel of the account 1020.
fn meta() -> Meta {
    let business_account_id = Some("1020".into());
    Meta::new(&ChannelConfig { business_account_id, ..ChannelConfig::new("a", ProviderKind::Meta) })
}

/// One whose settings name the Content of `order` with this category.
fn twilio(sid: &str, category: Option<Category>) -> Twilio {
    let content = ContentConfig::Whole(ContentForm { sid: sid.into(), category });
    Twilio::new(&ChannelConfig {
        account_sid: Some("1020".into()),
        templates: [("order".into(), content)].into(),
        ..ChannelConfig::new("main", ProviderKind::Twilio)
    })
}

fn directory(forms: Vec<TemplateForm>) -> Templates {
    let account: Arc<str> = "1020".into();
    let copy = Copy::new(TemplateCopy { read_at: Some(1), wanted: false, forms });
    let directory = Directory {
        kept: true,
        accounts: BTreeMap::new(),
        copies: [(account, Arc::new(copy))].into(),
    };
    let templates = Templates::default();
    templates.directory.store(Arc::new(directory));
    templates
}

fn positional(texts: &[&str]) -> Vec<Parameter> {
    texts.iter().map(|text| Parameter { name: None, text: (*text).into() }).collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<Parameter> {
    let parameter = |(name, text): &(&str, &str)| Parameter {
        name: Some((*name).into()),
        text: (*text).into(),
    };
    pairs.iter().map(parameter).collect()
}

fn message(parameters: Vec<Parameter>) -> Template {
    Template::new("order", "en", Category::Utility, parameters)
}

/// What is said of a message by the only template there is.
fn said(form: TemplateForm, message: Template) -> Result<Template, String> {
    directory(vec![form]).check(&meta(), message, NOW).map(|checked| checked.template)
}

fn wrong(form: TemplateForm, message: Template) -> String {
    said(form, message).unwrap_err()
}

fn media(kind: MediaKind) -> TemplateHeader {
    let source = MediaSource::Id("7".into());
    TemplateHeader::Media(OutgoingMedia { kind, source, caption: None, filename: None })
}

#[test]
fn an_unknown_name_says_the_nearest() {
    let templates = directory(vec![form("order", "en", "a"), form("welcome", "en", "b")]);
    let check = |name: &str| {
        let message = Template { name: name.into(), ..message(vec![]) };
        templates.check(&meta(), message, NOW).unwrap_err()
    };
    assert_eq!(check("ordr"), "the account has no template `ordr`; did you mean `order`?");
    assert_eq!(check("zzz"), "the account has no template `zzz`; there are `order`, `welcome`");
    assert!(templates.missed.load(Ordering::Relaxed), "the list is to be read again");
}

#[test]
fn a_language_that_is_not_there_falls_back_and_says_so() {
    let forms = ["pt_BR", "en_US", "en_GB", "de"].map(|language| form("order", language, "a"));
    let mut templates = directory(forms.to_vec());
    let check = |templates: &Templates, language: &str| {
        let message = Template { language: language.into(), ..message(vec![]) };
        templates.check(&meta(), message, NOW)
    };
    let taken = |templates: &Templates, language: &str| {
        let Checked { template, remarks } = check(templates, language).unwrap();
        (template.language, remarks)
    };
    assert_eq!(taken(&templates, "pt_BR"), ("pt_BR".into(), vec![]));
    assert_eq!(taken(&templates, "pt-br"), ("pt_BR".into(), vec![]));
    let (language, remarks) = taken(&templates, "en");
    assert_eq!(language, "en_GB");
    assert_eq!(remarks, ["the template `order` goes in `en_GB`: it is not there in `en`"]);
    assert_eq!(taken(&templates, "pt").0, "pt_BR");
    assert_eq!(taken(&templates, "de_AT").0, "de");
    let none = check(&templates, "fr").unwrap_err();
    assert!(none.contains("not there in `fr`; it is in `pt_BR`, `en_US`"), "{none}");
    // One that may be used before one that may not, and the only one there is.
    let mut paused = form("order", "en_GB", "a");
    paused.status = TemplateStatus::Paused;
    templates = directory(vec![paused, form("order", "en_US", "a")]);
    assert_eq!(taken(&templates, "en").0, "en_US");
    templates = directory(vec![form("order", "es", "a")]);
    assert_eq!(taken(&templates, "fr").0, "es");
}

#[test]
fn a_status_that_forbids_is_said_with_its_reason() {
    for (status, reason, expected) in [
        ("PAUSED", "for 3 hours, for low quality", "is paused: for 3 hours, for low quality"),
        ("REJECTED", "invalid format", "is rejected: invalid format"),
        ("DISABLED", "", "is disabled"),
        ("PENDING", "", "is pending"),
        ("DELETED", "", "is deleted"),
    ] {
        let mut form = form("order", "en", "a");
        form.status = TemplateStatus::of(status);
        form.reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        let expected = format!("the template `order` (en) {expected}");
        assert_eq!(wrong(form, message(vec![])), expected);
    }
    for status in ["APPROVED", "FLAGGED", "SOMETHING_NEW"] {
        let mut form = form("order", "en", "a");
        form.status = TemplateStatus::of(status);
        said(form, message(vec![])).unwrap();
    }
}

#[test]
fn values_by_place_are_counted() {
    let order = || form("order", "en", "Hi {{1}}, your {{2}}. Bye {{1}}");
    let wrong = |texts: &[&str]| wrong(order(), message(positional(texts)));
    said(order(), message(positional(&["Ann", "shoes"]))).unwrap();
    let few = wrong(&["Ann"]);
    assert_eq!(
        few,
        "the template `order` (en): the body takes {{1}}, {{2}}, and 1 value was given"
    );
    assert!(wrong(&["a", "b", "c"]).ends_with("takes {{1}}, {{2}}, and 3 values were given"));
    assert!(wrong(&["a", "  "]).ends_with("the body's value {{2}} is empty"));
    let names = super::tests::wrong(order(), message(named(&[("a", "1"), ("b", "2")])));
    assert!(names.ends_with("{{1}}, {{2}} by their places, and one has the name `a`"), "{names}");
    let none = super::tests::wrong(form("order", "en", "Hi"), message(positional(&["a"])));
    assert!(none.ends_with("the body takes no values, and 1 value was given"), "{none}");
}

#[test]
fn values_by_name_are_matched() {
    let order = || form("order", "en", "Hi {{name}}, your {{number}}");
    let wrong = |pairs: &[(&str, &str)]| wrong(order(), message(named(pairs)));
    said(order(), message(named(&[("number", "7"), ("name", "Ann")]))).unwrap();
    assert!(wrong(&[("name", "Ann")]).ends_with("and `number` is missing"));
    let surplus = wrong(&[("name", "Ann"), ("number", "7"), ("day", "1")]);
    assert!(surplus.ends_with("takes {{name}}, {{number}}, and not `day`"), "{surplus}");
    let twice = wrong(&[("name", "Ann"), ("name", "Bo"), ("number", "7")]);
    assert!(twice.ends_with("was given `name` twice"), "{twice}");
    assert!(wrong(&[("name", ""), ("number", "7")]).ends_with("{{name}} is empty"));
    let places = super::tests::wrong(order(), message(positional(&["Ann", "7"])));
    assert!(places.ends_with("takes {{name}}, {{number}}, and `name` is missing"), "{places}");
}

#[test]
fn a_header_has_to_be_what_the_template_wants() {
    let with = |header: FormHeader| {
        let mut form = form("order", "en", "a");
        form.parts.header = header;
        form
    };
    let given = |header| Template { header, ..message(vec![]) };
    let text = |text: &str| Some(TemplateHeader::Text(Parameter { name: None, text: text.into() }));
    let image = || with(FormHeader::Media(MediaKind::Image));
    said(image(), given(Some(media(MediaKind::Image)))).unwrap();
    assert!(wrong(image(), given(None)).ends_with("its header needs an image, and none was given"));
    let other = wrong(image(), given(Some(media(MediaKind::Video))));
    assert!(other.ends_with("needs an image, and a video was given"), "{other}");
    let titled = || with(FormHeader::Text("Order {{1}}".into()));
    said(titled(), given(text("7"))).unwrap();
    assert!(
        wrong(titled(), given(None)).ends_with("the header takes {{1}}, and no values were given")
    );
    let long = wrong(titled(), given(text(&"x".repeat(60))));
    assert!(
        long.ends_with("the header has 66 characters once filled, and 60 are allowed"),
        "{long}"
    );
    let fixed = wrong(with(FormHeader::Text("Order".into())), given(text("7")));
    assert!(fixed.ends_with("the header takes no values, and 1 value was given"), "{fixed}");
    let none = wrong(with(FormHeader::None), given(text("7")));
    assert!(none.ends_with("it has no header, and one was given"), "{none}");
    let place = wrong(with(FormHeader::Location), given(None));
    assert!(place.ends_with("its header needs a location, and none was given"), "{place}");
}

#[test]
fn buttons_get_what_they_need_and_no_more() {
    let with = |kinds: &[FormButtonKind]| {
        let mut form = form("order", "en", "Code {{1}}");
        let button = |kind: &FormButtonKind| FormButton { label: "B".into(), kind: kind.clone() };
        form.parts.buttons = kinds.iter().map(button).collect();
        form
    };
    let given = |buttons: &[(u32, ButtonValue)]| {
        let button = |(index, value): &(u32, ButtonValue)| TemplateButton {
            index: *index,
            value: value.clone(),
        };
        let buttons = buttons.iter().map(button).collect();
        Template { buttons, ..message(positional(&["123"])) }
    };
    let end = |text: &str| ButtonValue::UrlSuffix(text.into());
    let link = FormButtonKind::Link("https://a.example/{{1}}".into());
    let fixed = FormButtonKind::Link("https://a.example/".into());
    let both = || with(&[FormButtonKind::Reply, link.clone()]);
    said(both(), given(&[(1, end("x"))])).unwrap();
    let missing = wrong(both(), given(&[]));
    assert!(missing.ends_with("button 1 (`B`) needs the end of its address"), "{missing}");
    assert!(wrong(both(), given(&[(1, end(" "))])).ends_with("the end of its address"));
    let surplus = wrong(both(), given(&[(1, end("x")), (2, end("x"))]));
    assert!(surplus.ends_with("it has 2 buttons, counted from 0, and 2 was given a value"));
    let twice = wrong(both(), given(&[(1, end("x")), (1, end("y"))]));
    assert!(twice.ends_with("button 1 was given two values"), "{twice}");
    let full = wrong(with(&[fixed]), given(&[(0, end("x"))]));
    assert!(full.ends_with("has an address without an end to fill"), "{full}");
    let phone = FormButtonKind::Plain("PHONE_NUMBER".into());
    assert!(wrong(with(&[phone]), given(&[(0, end("x"))])).ends_with("takes no value"));
    assert!(
        wrong(with(&[FormButtonKind::CopyCode]), given(&[])).ends_with("the code that it copies")
    );
    assert!(
        wrong(with(&[FormButtonKind::Products]), given(&[]))
            .ends_with("the products that it shows")
    );
    let other = wrong(with(&[FormButtonKind::Reply]), given(&[(0, end("x"))]));
    assert!(other.ends_with("was given a value of another kind"), "{other}");
    // What is implied is put in.
    let implied = |kind| said(with(&[kind]), given(&[])).unwrap().buttons[0].value.clone();
    assert_eq!(implied(FormButtonKind::OneTimeCode), end("123"));
    assert_eq!(implied(FormButtonKind::Flow), ButtonValue::Flow { token: None, input: None });
    assert_eq!(implied(FormButtonKind::Catalog), ButtonValue::Catalog { thumbnail: None });
    let code = given(&[(0, ButtonValue::CopyCode("9".into()))]);
    let code = said(with(&[FormButtonKind::OneTimeCode]), code).unwrap();
    assert_eq!(code.buttons[0].value, end("9"));
}

#[test]
fn cards_and_offers_are_checked_as_well() {
    let mut form = form("order", "en", "a");
    form.offer = Some(FormOffer { text: None, expires: true });
    let card = |body: &str| FormParts { body: Some(body.into()), ..FormParts::default() };
    form.cards = vec![card("One"), card("Two {{1}}")];
    let given = |ends, second: &[&str]| {
        let card = |parameters| TemplateCard { header: None, parameters, buttons: vec![] };
        let cards = vec![card(vec![]), card(positional(second))];
        Template { offer_ends: ends, cards, ..message(vec![]) }
    };
    said(form.clone(), given(Some(NOW + 1), &["x"])).unwrap();
    let wrong = |message| wrong(form.clone(), message);
    assert!(wrong(given(None, &["x"])).ends_with("the offer needs the time when it ends"));
    assert!(wrong(given(Some(NOW), &["x"])).ends_with("the offer ends in the past"));
    let second = wrong(given(Some(NOW + 1), &[]));
    assert!(second.ends_with("card 2: the body takes {{1}}, and no values were given"), "{second}");
    let one = Template { cards: vec![], ..given(Some(NOW + 1), &["x"]) };
    assert!(wrong(one).ends_with("it has 2 cards, and 0 were given"));
    let end = Template { offer_ends: Some(NOW + 1), ..message(vec![]) };
    let end = super::tests::wrong(super::tests::form("order", "en", "a"), end);
    assert!(end.ends_with("it has no offer that ends, but an end was given"), "{end}");
}

#[test]
fn a_body_that_grows_too_long_is_not_sent() {
    let long = "x".repeat(1_030);
    said(form("order", "en", "{{1}}"), message(positional(&[&long]))).unwrap();
    let mut footed = form("order", "en", "{{1}}");
    footed.footer = Some("f".into());
    let wrong = wrong(footed, message(positional(&[&long])));
    assert!(wrong.ends_with("the body has 1030 characters once filled, and 1024 are allowed"));
}

#[test]
fn the_provider_s_category_counts_and_values_become_one_line() {
    let mut sale = form("order", "en", "Hi {{1}}");
    sale.category = Some(Category::Marketing);
    let message = message(positional(&["a\n\tb      c    d"]));
    let checked = directory(vec![sale]).check(&meta(), message, NOW).unwrap();
    assert_eq!(checked.template.category, Category::Marketing);
    assert_eq!(checked.template.parameters[0].text, "a b c    d");
    assert_eq!(
        checked.remarks,
        [
            "the template `order` is marketing, not utility",
            "new lines and long gaps in the values of `order` became one blank"
        ]
    );
}

/// It passed as what the step called it, and so around the rules for marketing.
#[test]
fn an_unread_template_is_marketing_whatever_a_step_calls_it() {
    let odd = |category| Template { category, ..message(positional(&["", ""])) };
    let unread = Templates::new(Bell::default());
    let without = Meta::new(&ChannelConfig::new("b", ProviderKind::Meta));
    let why = [
        (&without, "names no account whose list could be read; set its `business_account_id`"),
        (&meta(), "was not read yet; `switchboard template sync` says why"),
    ];
    for (provider, why) in why {
        for claimed in [Category::Utility, Category::Authentication] {
            let checked = unread.check(provider, odd(claimed), NOW).unwrap();
            assert_eq!(checked.template, odd(Category::Marketing));
            let [first, second] = &checked.remarks[..] else { panic!("{checked:?}") };
            assert!(first.starts_with("the template `order` was not checked: "), "{first}");
            assert!(first.contains(why), "{first}");
            let expected =
                format!("`order` counts as marketing, not {}: nobody but", claimed.word());
            assert!(second.contains(&expected), "{second}");
        }
        let true_one = unread.check(provider, odd(Category::Marketing), NOW).unwrap();
        assert_eq!(true_one.remarks.len(), 1, "{true_one:?}");
        let standing = unread.standing(provider, &odd(Category::Utility));
        assert_eq!(standing, TemplateStanding::default());
    }
    // A category that we do not know is none that a step could choose.
    let mut strange = form("order", "en", "a");
    strange.category = None;
    let checked = directory(vec![strange]).check(&meta(), message(vec![]), NOW).unwrap();
    assert_eq!(checked.template.category, Category::Marketing);
    assert!(checked.remarks[0].contains("counts as marketing, not utility"), "{checked:?}");
    // No message leaves where nobody keeps copies, such as in a case.
    let case = Templates::default().check(&without, odd(Category::Utility), NOW).unwrap();
    assert_eq!(case, Checked { template: odd(Category::Utility), remarks: vec![] });
}

#[test]
fn the_owner_s_word_counts_where_the_list_does_not_say() {
    let unread = Templates::new(Bell::default());
    let category = |templates: &Templates, provider: &Twilio| {
        let given = Template { category: Category::Authentication, ..message(vec![]) };
        let checked = templates.check(provider, given.clone(), NOW).unwrap();
        (checked.template.category, templates.standing(provider, &given).category)
    };
    let (utility, marketing) = (Category::Utility, Category::Marketing);
    let said = twilio("HX9", Some(utility));
    assert_eq!(category(&unread, &said), (utility, Some(utility)));
    assert_eq!(category(&unread, &twilio("HX9", None)), (marketing, None));
    // A list without it, though it has another template of the name.
    let mut other = form("order", "en", "a");
    other.status = TemplateStatus::Paused;
    let list = directory(vec![other.clone()]);
    assert_eq!(category(&list, &said), (utility, Some(utility)));
    assert_eq!(category(&list, &twilio("HX9", None)), (marketing, None));
    // The one that is meant has another name there; what WhatsApp says goes first.
    let sale = TemplateForm { id: "HX9".into(), category: Some(marketing), ..form("x", "en", "a") };
    let list = directory(vec![other, sale.clone()]);
    assert_eq!(category(&list, &said), (marketing, Some(marketing)));
    let strange = TemplateForm { category: None, ..sale };
    assert_eq!(category(&directory(vec![strange.clone()]), &said), (utility, Some(utility)));
    let paused = TemplateForm { status: TemplateStatus::Paused, ..strange };
    let list = directory(vec![paused]);
    assert!(list.check(&said, message(vec![]), NOW).unwrap_err().contains("`x` (en) is paused"));
    assert!(matches!(list.standing(&said, &message(vec![])).state, TemplateState::Rests { .. }));
}

fn in_row(body: &str, row: &[&str]) -> TemplateForm {
    let row: Vec<String> = row.iter().map(|name| (*name).into()).collect();
    TemplateForm { row: Some(row), id: "HX9".into(), ..form("order", "en", body) }
}

#[test]
fn values_in_a_row_fill_all_parts() {
    let order = || in_row("Hi {{1}}", &["1", "3"]);
    let given = |parameters| said(order(), message(parameters));
    let sent = given(positional(&["Ann", "A17"])).unwrap();
    // By the names of their places, since one is missing in the row.
    assert_eq!(sent.parameters, named(&[("1", "Ann"), ("3", "A17")]));
    assert_eq!(sent.id.as_deref(), Some("HX9"));
    assert_eq!(given(named(&[("3", "A17"), ("1", "Ann")])).unwrap().parameters.len(), 2);
    let few = given(positional(&["Ann"])).unwrap_err();
    assert_eq!(few, "the template `order` (en): it takes {{1}}, {{3}}, and 1 value was given");
    assert!(given(named(&[("1", "Ann")])).unwrap_err().ends_with("and `3` is missing"));
    assert!(given(positional(&["Ann", " "])).unwrap_err().contains("is empty"));
    let named = || TemplateForm { named: true, ..in_row("Hi {{who}}", &["who"]) };
    assert!(wrong(named(), message(positional(&["Ann"]))).ends_with("and `who` is missing"));
    let long = "x".repeat(4_100);
    assert!(given(positional(&[&long, "b"])).unwrap_err().contains("4096 are allowed"));
}

#[test]
fn a_preview_fills_a_row_wherever_it_stands() {
    let mut order = in_row("Hi {{1}}", &["1", "2"]);
    order.parts.header = FormHeader::Text("For {{1}}".into());
    let url = FormButtonKind::Link("https://a.example/{{2}}".into());
    order.parts.buttons = vec![FormButton { label: "Open".into(), kind: url }];
    let values = |with: &[&str]| Values {
        with: with.iter().map(|text| (*text).into()).collect(),
        ..Values::default()
    };
    let (text, lacks) = preview(&order, &values(&["Ann", "A17"]));
    assert_eq!(text, "*For Ann*\nHi Ann\n[Open] https://a.example/A17");
    assert!(lacks.is_empty(), "{lacks:?}");
    let (_, lacks) = preview(&order, &values(&["Ann"]));
    assert_eq!(lacks, ["it lacks {{2}}"]);
}

#[test]
fn a_preview_shows_the_message_and_what_it_lacks() {
    let mut order = form("order", "en", "Hi {{name}}, {{number}}");
    order.parts.header = FormHeader::Text("For {{name}}".into());
    order.footer = Some("Bye".into());
    let url = FormButtonKind::Link("https://a.example/{{1}}".into());
    order.parts.buttons = vec![FormButton { label: "Open".into(), kind: url }];
    let values = |with: &[&str]| Values {
        with: with.iter().map(|text| (*text).into()).collect(),
        ..Values::default()
    };
    let (text, lacks) = preview(&order, &values(&["name=Ann", "day=1", "7"]));
    assert_eq!(text, "*For Ann*\nHi Ann, {{number}}\n_Bye_\n[Open] https://a.example/{{1}}");
    assert_eq!(
        lacks,
        [
            "there is no placeholder {{day}}",
            "`7` has no name: this template wants name=value",
            "the body lacks {{number}}",
            "button 0 lacks its value"
        ]
    );
    let whole =
        Values { buttons: [("0".into(), "x".into())].into(), ..values(&["name=A", "number=a=b"]) };
    let (text, lacks) = preview(&order, &whole);
    assert_eq!((text.lines().nth(1), lacks.is_empty()), (Some("Hi A, a=b"), true));
    let (text, _) = preview(&form("order", "en", "{{1}} {{2}}"), &values(&["a=b", "c"]));
    assert_eq!(text, "a=b c");
}
