//! The vocabulary of tickets, each word with its Chinese term and its source. Rules are elsewhere. The marks S, S? and
//! U are those of `deploy/policies/sgcc.toml`: published, from an examination without its key, unconfirmed.

use serde::{Deserialize, Serialize};

use crate::organisation::OrgPath;

/// Declares a closed list of words: the enum, `ALL`, the stable snake-case names, and `parse`.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }
        impl $name {
            /// All words, in their usual order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// The word with this name; `None` for an unknown name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Business type (业务类型). Source: the SGCC list of 2020 (mark S); information query (信息查询) and urge (催办) are handled
    /// beside it.
    BusinessType {
        /// Information query (信息查询)
        InformationQuery = "information_query",
        /// Consultation (业务咨询)
        Consultation = "consultation",
        /// Fault repair (故障报修)
        FaultRepair = "fault_repair",
        /// Complaint (投诉)
        Complaint = "complaint",
        /// Report of misconduct or theft of electricity, whistle-blowing (举报)
        Report = "report",
        /// Opinion: dissatisfaction without a claim (意见)
        Opinion = "opinion",
        /// Suggestion (建议)
        Suggestion = "suggestion",
        /// Praise (表扬)
        Praise = "praise",
        /// Service application (服务申请)
        ServiceApplication = "service_application",
        /// Urge: an order of its own, linked to another ticket (催办)
        Urge = "urge",
    }
}

words! {
    /// The channel through which a ticket came in (受理渠道). 12398 is the regulator's hotline, 12345 the city's.
    Channel {
        /// Hotline, a human agent (人工电话)
        Hotline = "hotline",
        /// Hotline, voice robot (语音机器人)
        Ivr = "ivr",
        /// Mobile app or mini program (网上国网)
        App = "app",
        /// Web site
        Web = "web",
        /// Text message (短信)
        Sms = "sms",
        /// Letter or e-mail
        Letter = "letter",
        /// Business hall counter (营业厅)
        Counter = "counter",
        /// Regulator's hotline (12398)
        Regulator = "regulator",
        /// City hotline (12345)
        CityHotline = "city_hotline",
        /// Media exposure
        Media = "media",
        /// Detected by the grid before any call (主动工单)
        Proactive = "proactive",
    }
}

words! {
    /// Urgency (紧急程度). Source: field of the fault ticket (mark S).
    Urgency {
        /// Normal (一般)
        Normal = "normal",
        /// Urgent (紧急)
        Urgent = "urgent",
    }
}

words! {
    /// Complaint grade (投诉等级), lowest first. Source: the four grades of the SGCC 95598 rules (mark S); their criteria
    /// are not published.
    Grade {
        /// General (一般)
        General = "general",
        /// Important (重要)
        Important = "important",
        /// Major (重大)
        Major = "major",
        /// Special (特殊)
        Special = "special",
    }
}

words! {
    /// Kind of area (城乡标志). Source: `URBAN_RURAL_FLAG` 01 to 03 of SG186 (mark S). It decides the arrival limit:
    /// 供电服务十项承诺 (mark S).
    Area {
        /// Urban (城区)
        Urban = "urban",
        /// Rural (农村)
        Rural = "rural",
        /// Special remote (特殊边远)
        Remote = "remote",
    }
}

words! {
    /// The number of premises without power (单户/多户), as the caller reports it.
    Premises {
        /// Single (单户)
        Single = "single",
        /// Multiple (多户)
        Multiple = "multiple",
    }
}

words! {
    /// Customer tier (客户分级 A, B, C: founding paper 2). A tier changes over time; the ticket keeps the one at receipt.
    Tier {
        /// Major customer (A 类): green channel at every step
        A = "a",
        /// Growing or risky customer (B 类): contacted proactively
        B = "b",
        /// Household (C 类)
        C = "c",
    }
}

words! {
    /// Why a unit returns a ticket one level (退单原因). Source: field of the crew ticket; wrong area (mark S), the others
    /// are usual reasons (mark U).
    ReturnReason {
        /// Not the area of this unit; the note names the likely unit.
        WrongArea = "wrong_area",
        /// Wrong unit or address.
        WrongUnit = "wrong_unit",
        /// Wrong business type.
        WrongType = "wrong_type",
        /// The content is incomplete.
        Incomplete = "incomplete",
    }
}

words! {
    /// Why work is suspended (挂起原因): usual reasons (mark U).
    SuspendReason {
        /// Waits for the customer.
        Customer = "customer",
        /// Waits for planned works.
        Works = "works",
        /// Waits for a third party.
        ThirdParty = "third_party",
        /// Unsafe weather.
        Weather = "weather",
    }
}

words! {
    /// The result of a contact with the customer.
    ContactOutcome {
        /// The customer was reached.
        Reached = "reached",
        /// Nobody answered.
        Unreachable = "unreachable",
    }
}

words! {
    /// The outcome of the work (处理结果).
    ReplyOutcome {
        /// The trouble is solved.
        Resolved = "resolved",
        /// Not the supplier's equipment: beyond the ownership boundary (产权分界点).
        NotOurs = "not_ours",
        /// Cannot be solved further; this was explained to the customer.
        Explained = "explained",
    }
}

words! {
    /// The method of a revisit (回访方式).
    RevisitMethod {
        /// A person calls.
        Call = "call",
        /// A voice robot calls.
        Bot = "bot",
        /// A text message.
        Sms = "sms",
    }
}

words! {
    /// The result of a revisit (回访结果). The last three are not counted as evaluated.
    Satisfaction {
        /// Very satisfied (非常满意)
        VerySatisfied = "very_satisfied",
        /// Satisfied (满意)
        Satisfied = "satisfied",
        /// Neutral (一般)
        Neutral = "neutral",
        /// Dissatisfied (不满意)
        Dissatisfied = "dissatisfied",
        /// No answer to a message.
        NoAnswer = "no_answer",
        /// The customer declined to answer.
        Refused = "refused",
        /// The customer was not reached.
        Unreachable = "unreachable",
    }
}

words! {
    /// Why a customer is dissatisfied; several reasons are possible. Source: digits 4 to 9 of the SMS revisit, Zhejiang
    /// 2018 (mark S).
    DissatisfactionReason {
        /// Attitude of the staff (服务态度)
        Attitude = "attitude",
        /// Quality of the repair (抢修质量)
        Quality = "quality",
        /// Time of arrival (到达时间)
        ArrivalTime = "arrival_time",
        /// Speed of the repair (修复速度)
        Speed = "speed",
        /// Not repaired (未修复)
        NotRepaired = "not_repaired",
        /// Other (其他)
        Other = "other",
    }
}

words! {
    /// The owner of the faulty equipment (产权属性; `PR_CODE` of SG186 has the first two, mark S).
    Ownership {
        /// Supplier (供电企业)
        Utility = "utility",
        /// Customer (客户)
        Customer = "customer",
        /// Third party (第三方)
        ThirdParty = "third_party",
    }
}

impl Satisfaction {
    /// True when the result ends the revisit: the customer answered or declined.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::NoAnswer | Self::Unreachable)
    }
}

/// The most segments of a category path. Repair slips carry five levels and a cause class (mark S).
pub const CATEGORY_DEPTH_MAX: usize = 8;
/// The longest category path, in bytes.
pub const CATEGORY_BYTES_MAX: usize = 256;

/// A category (业务分类): a path of variable depth, most general first: `故障报修/低压故障/低压设备/熔断器`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

/// The text is not a category path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACategory;

impl std::fmt::Display for NotACategory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(Category::FORM)
    }
}

impl Category {
    /// The expected form, for error messages.
    pub const FORM: &'static str = "1 to 8 non-empty segments joined by '/', no control characters, at most 256 bytes";

    /// Parses a path.
    ///
    /// # Errors
    /// [`NotACategory`] unless the text has the form that [`Self::FORM`] describes.
    pub fn parse(text: &str) -> Result<Self, NotACategory> {
        let segments = text.split('/');
        let sound = text.len() <= CATEGORY_BYTES_MAX
            && segments.clone().count() <= CATEGORY_DEPTH_MAX
            && segments.clone().all(|s| !s.trim().is_empty() && !s.chars().any(char::is_control));
        if sound { Ok(Self(text.to_owned())) } else { Err(NotACategory) }
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Category {
    /// True when `other` is this category or lies within it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl TryFrom<String> for Category {
    type Error = NotACategory;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

/// A number of another system (外部编号): an opaque string with its issuer, never parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalRef {
    /// The system that issued it.
    pub issuer: String,
    /// The number.
    pub value: String,
}

/// The place of the trouble on the grid and on the map. Never a person's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Kind of area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// Feeder (馈线).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feeder: Option<String>,
    /// Transformer service area (台区).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<String>,
    /// Latitude and longitude of the equipment, in millionths of a degree (WGS 84).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_e6: Option<(i32, i32)>,
}

/// The target of an escalation (升级). An opinion may become a complaint (mark S?).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalation {
    /// An opinion becomes a complaint of this grade.
    Complaint(Grade),
    /// A complaint gets a higher grade.
    Grade(Grade),
    /// A ticket of any type becomes urgent.
    Urgent,
}

/// A step that a crew reports (抢修进程).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The crew accepted the job (接单).
    Accepted,
    /// The crew is on its way (出发).
    EnRoute,
    /// The crew is on site (到达现场).
    Arrived {
        /// The kind of area found on site (现场分类), if it differs.
        area: Option<Area>,
    },
    /// The crew found the cause (勘查/研判).
    Diagnosed {
        /// The finding.
        finding: crate::personal::Personal,
        /// The category, if it is clear.
        category: Option<Category>,
    },
    /// The crew estimates when power returns (预计复电时间, ETR).
    EtrSet {
        /// The estimate.
        etr: crate::Timestamp,
    },
    /// Power is restored (修复).
    Restored,
}

/// The unit that holds a ticket, at its level.
pub type Holder = OrgPath;
