//! The words of the trade that a ticket is described in. Each carries its Chinese term; none carries a rule.

use serde::{Deserialize, Serialize};

use crate::organisation::OrgPath;

/// Declares a closed word list: the enum, `ALL`, its stable snake-case names and their reader.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }
        impl $name {
            /// Every word of the list, in its usual order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// The word of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Business type (业务类型).
    BusinessType {
        /// 信息查询
        InformationQuery = "information_query",
        /// 业务咨询
        Consultation = "consultation",
        /// 故障报修
        FaultRepair = "fault_repair",
        /// 投诉
        Complaint = "complaint",
        /// 举报: whistle-blowing
        Report = "report",
        /// 意见
        Opinion = "opinion",
        /// 建议
        Suggestion = "suggestion",
        /// 表扬
        Praise = "praise",
        /// 服务申请
        ServiceApplication = "service_application",
        /// 催办: an order of its own, child of another ticket
        Urge = "urge",
    }
}

words! {
    /// Where a ticket came in (受理渠道).
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
    /// Urgency (紧急程度).
    Urgency {
        /// 一般
        Normal = "normal",
        /// 紧急
        Urgent = "urgent",
    }
}

words! {
    /// Complaint grade (投诉等级), from the least to the gravest.
    Grade {
        /// 一般
        General = "general",
        /// 重要
        Important = "important",
        /// 重大
        Major = "major",
        /// 特殊
        Special = "special",
    }
}

words! {
    /// Kind of area (城乡标志): decides the arrival limit.
    Area {
        /// 城区
        Urban = "urban",
        /// 农村
        Rural = "rural",
        /// 特殊边远
        Remote = "remote",
    }
}

words! {
    /// How many premises are without power (单户/多户), as the caller sees it.
    Premises {
        /// 单户
        Single = "single",
        /// 多户
        Multiple = "multiple",
    }
}

words! {
    /// Customer tier (客户分级). It changes over time, so that a ticket keeps the one that was known at intake.
    Tier {
        /// A 类: major customers; a key-account group, a green channel at every step
        A = "a",
        /// B 类: growth and risk; contacted before they call
        B = "b",
        /// C 类: households
        C = "c",
    }
}

words! {
    /// Why a unit returns a ticket one level (退单原因).
    ReturnReason {
        /// Not this unit's area; the note names the likely one.
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
    /// Why work waits (挂起原因).
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
    /// How contact was made with the customer.
    ContactOutcome {
        /// Spoken to.
        Reached = "reached",
        /// Nobody answered.
        Unreachable = "unreachable",
    }
}

words! {
    /// What the work came to (处理结果).
    ReplyOutcome {
        /// Solved.
        Resolved = "resolved",
        /// Not the supplier's: the customer's side or another owner (产权分界点).
        NotOurs = "not_ours",
        /// Cannot be solved further; explained.
        Explained = "explained",
    }
}

words! {
    /// How a revisit is made (回访方式).
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
    /// What a revisit brought (回访结果). The last three never count as evaluated.
    Satisfaction {
        /// 非常满意
        VerySatisfied = "very_satisfied",
        /// 满意
        Satisfied = "satisfied",
        /// 一般
        Neutral = "neutral",
        /// 不满意
        Dissatisfied = "dissatisfied",
        /// No answer to a message.
        NoAnswer = "no_answer",
        /// The customer declined.
        Refused = "refused",
        /// Not reached.
        Unreachable = "unreachable",
    }
}

words! {
    /// Why a customer is dissatisfied, several may hold (the digits 4 to 9 of the SMS revisit).
    DissatisfactionReason {
        /// 服务态度
        Attitude = "attitude",
        /// 抢修质量
        Quality = "quality",
        /// 到达时间
        ArrivalTime = "arrival_time",
        /// 修复速度
        Speed = "speed",
        /// 未修复
        NotRepaired = "not_repaired",
        /// 其他
        Other = "other",
    }
}

words! {
    /// Who a fault belongs to (产权属性).
    Ownership {
        /// 供电企业
        Utility = "utility",
        /// 客户
        Customer = "customer",
        /// 第三方
        ThirdParty = "third_party",
    }
}

impl Satisfaction {
    /// Whether a person was reached and had an opinion, or declined: the revisit is done.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::NoAnswer | Self::Unreachable)
    }
}

/// The most segments of a category path.
pub const CATEGORY_DEPTH_MAX: usize = 8;
/// The longest category path, in bytes.
pub const CATEGORY_BYTES_MAX: usize = 256;

/// A category (业务分类) as a path of variable depth, general first: `故障报修/低压故障/低压设备/熔断器`.
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
    /// The form, for people.
    pub const FORM: &'static str = "1 to 8 non-empty segments joined by '/', no control characters, at most 256 bytes";

    /// Reads a path.
    ///
    /// # Errors
    /// [`NotACategory`] when the text has another form than [`Self::FORM`].
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
    /// Whether `other` is this category or lies within it.
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

/// A number that another system gave (外部编号): an opaque string with its issuer, never parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalRef {
    /// Who issued it.
    pub issuer: String,
    /// As issued.
    pub value: String,
}

/// Where the trouble is on the grid and on the map; never a person's address.
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

/// Where an escalation leads (升级).
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

/// What a crew reports about its work (抢修进程).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Took the job (接单).
    Accepted,
    /// On the way (出发).
    EnRoute,
    /// On site (到达现场), and the kind of area found there if it differs.
    Arrived {
        /// Kind of area on site (现场分类).
        area: Option<Area>,
    },
    /// Found the cause (勘查/研判).
    Diagnosed {
        /// What was found, in words.
        finding: crate::personal::Personal,
        /// The category as found, if it is clear.
        category: Option<Category>,
    },
    /// Expects power back at this instant (预计复电时间, ETR).
    EtrSet {
        /// The estimate.
        etr: crate::Timestamp,
    },
    /// Power is back (修复).
    Restored,
}

/// The unit that holds a ticket, at its level.
pub type Holder = OrgPath;
