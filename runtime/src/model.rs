//! The nouns as plain values. No I/O, no async, no time of its own: everything
//! else in the host depends on this module and it depends on nothing.

mod campaign;
mod contact;
mod effect;
mod event;
mod exchange;
mod ids;
mod language;
mod marketing;
mod media;
mod news;
mod outbox;
mod outgoing;
mod phone;
mod plain;
mod report;
mod template;
mod trace;
mod turn;
mod words;

pub use campaign::{
    Campaign, CampaignKey, Funnel, Going, Member, MemberNow, MemberTurn, Members, Membership,
    REPLY_MS, Standing, Unpaid, Wrote, count,
};
pub use contact::{
    Asked, Consent, Contact, Handoff, Identity, MERGED_MAX, Note, Portfolio, Sender, TAG_BYTES,
    TAG_HISTORY_MAX, Tag, TagChange, TagMove, check_name,
};
pub use effect::{
    Broadcast, Effect, Goal, KvScope, KvWrite, Retry, Segment, Terms, Timer, TimerKey, TimerWrite,
    Unanswered,
};
pub use event::{
    Accepted, CardPhone, Choice, ContactCard, Content, Edit, Event, EventKind, FlowAnswer,
    Happening, Location, Media, MediaKind, Message, Notice, Operator, Order, OrderItem, Pricing,
    ProductRef, Reaction, Receipt, ReceiptState,
};
pub use exchange::{Exchange, HttpRequest, HttpResponse};
pub use ids::{ChannelId, ContactId, EventId, Lane, Millis, SendId, TurnId, moment};
pub use language::{Written, language_among};
pub use marketing::{Cap, QuietHours};
pub use media::{MediaFile, MediaHere, MediaState, media_hash};
pub use news::{AccountChange, AccountNews, News, NumberNews, Stoppage, TemplateNews};
pub use outbox::{
    Address, Attempt, Charge, Delivery, DeliveryRecord, Failure, Hold, OutboxItem, PriceClass,
    Rule, SendState, SentCopy, Spending, Tried, Uploaded,
};
pub use outgoing::{
    Button, ButtonValue, Card, CardAction, Category, Flow, FlowRef, Header, Link, MediaSource,
    Outgoing, OutgoingMedia, Parameter, ProductSection, Products, Requested, Row, Section,
    Template, TemplateButton, TemplateCard, TemplateHeader,
};
pub use phone::{calling_code, digits, phone_forms, same_phone};
pub use plain::{plain, plain_line, plain_text};
pub use report::{
    Difference, GrantReport, RolledBack, RolloutPhase, RolloutReport, Side, Spread, StepLog,
    StepReport, VersionReport, VitalsReport,
};
pub use template::{
    FormButton, FormButtonKind, FormHeader, FormOffer, FormParts, TemplateCopy, TemplateForm,
    TemplateStanding, TemplateState, TemplateStatus, filled, placeholders,
};
pub use trace::{
    Inputs, LogLevel, LogLine, Record, Recording, StepRecord, StepTrace, Trace, Verdict,
};
pub use turn::{Snapshot, TurnCommit};
