//! The nouns as plain values. No I/O, no async, no time of its own: everything
//! else in the host depends on this module and it depends on nothing.

mod contact;
mod effect;
mod event;
mod exchange;
mod ids;
mod media;
mod outbox;
mod outgoing;
mod plain;
mod report;
mod trace;
mod turn;
mod words;

pub use contact::{Asked, Consent, Contact, Handoff, Identity, Note, Sender, Tag};
pub use effect::{Broadcast, Effect, KvScope, KvWrite, Segment, Timer, TimerKey, TimerWrite};
pub use event::{
    Accepted, CardPhone, Choice, ContactCard, Content, Edit, Event, EventKind, FlowAnswer,
    Happening, Location, Media, MediaKind, Message, News, Notice, NumberNews, Operator, Order,
    OrderItem, Pricing, ProductRef, Reaction, Receipt, ReceiptState, TemplateNews,
};
pub use exchange::{Exchange, HttpRequest, HttpResponse};
pub use ids::{ChannelId, ContactId, EventId, Lane, Millis, SendId, TurnId, moment};
pub use media::{MediaFile, MediaHere, MediaState, media_hash};
pub use outbox::{Address, Attempt, Delivery, DeliveryRecord, OutboxItem, SendState};
pub use outgoing::{
    Button, ButtonValue, Card, CardAction, Category, Flow, FlowRef, Header, Link, MediaSource,
    Outgoing, OutgoingMedia, Parameter, ProductSection, Products, Requested, Row, Section,
    Template, TemplateButton, TemplateCard, TemplateHeader,
};
pub use plain::{plain, plain_line, plain_text};
pub use report::{
    Difference, GrantReport, RolledBack, RolloutPhase, RolloutReport, Side, Spread, StepLog,
    StepReport, VersionReport, VitalsReport,
};
pub use trace::{
    Inputs, LogLevel, LogLine, Record, Recording, StepRecord, StepTrace, Trace, Verdict,
};
pub use turn::{Snapshot, TurnCommit};
