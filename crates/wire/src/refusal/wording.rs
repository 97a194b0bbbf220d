//! The catalogue of sentences, one per refusal and language. A sentence states the situation and, where possible, what
//! to do. It names units and tickets, never persons. Times are in China Standard Time.

use chrono::FixedOffset;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    actor::Role,
    crew,
    ticket::{Move, Rejection},
};

use super::{Language, Refusal, terms::Term as _};

/// Formats a sentence in the given language.
macro_rules! say {
    ($language:expr, $chinese:literal, $english:literal $(, $name:ident = $value:expr)* $(,)?) => {
        match $language {
            Language::Zh => format!($chinese $(, $name = $value)*),
            Language::En => format!($english $(, $name = $value)*),
        }
    };
}

/// The most violations in a sentence. The sentence is sent twice in trailers, which have little space.
const VIOLATIONS_SHOWN_MAX: usize = 8;

pub(super) fn refusal(refusal: &Refusal, l: Language) -> String {
    match refusal {
        Refusal::Rejected(rejected) => rejection(rejected, l),
        Refusal::CrewRejected(rejected) => crew_rejection(rejected, l),
        Refusal::InvalidFields(violations) => invalid(violations, l),
        Refusal::TicketNotFound => say!(l, "没有这张工单。", "There is no such ticket."),
        Refusal::RequestIdReused => say!(
            l,
            "该请求号已用于另一内容的请求，或由他人用过，请换用新的请求号。",
            "The request id was used before with another body or by another actor; choose a new one."
        ),
        Refusal::RevisionConflict { current: Some(current) } => say!(
            l,
            "工单已有更新，当前版本为 {current}；请重新读取后再决定。",
            "The ticket has moved on to revision {current}; read it again and decide.",
        ),
        Refusal::RevisionConflict { current: None } => {
            say!(l, "工单版本不符：该工单尚无记录。", "The etag names a revision of a ticket that has no facts.")
        }
        Refusal::Contended => say!(
            l,
            "该工单或班组正被多方同时修改，请用同一请求号重试。",
            "Too many writers on this ticket or crew at once; retry with the same request id."
        ),
        Refusal::StoreUnavailable { .. } => say!(
            l,
            "存储暂不可用，请稍后用同一请求号重试。",
            "The store takes no commands now; retry later with the same request id."
        ),
        Refusal::OutcomeUnknown { request_id } => say!(
            l,
            "无法确定请求 {request_id} 是否已记录，请用同一请求号重试以得到结果。",
            "It cannot be told whether request {request_id} was recorded; retry with the same request id to learn it.",
        ),
        Refusal::StoreCorrupt => {
            say!(l, "存储的数据无法读取，请联系运维人员。", "Stored data cannot be read; call the operator.")
        }
        Refusal::RequestTooLarge { bytes_max } => say!(
            l,
            "请求过大，最多 {bytes_max} 字节；请拆分后再发。",
            "The request is larger than {bytes_max} bytes; split the request.",
        ),
        Refusal::Overloaded { limit, value } => {
            say!(l, "超出限制 {limit} = {value}，请稍后重试。", "The limit {limit} = {value} was passed; retry later.")
        }
        Refusal::TimedOut => say!(
            l,
            "未能在时限内答复；命令可能已记录，请用同一请求号重试。",
            "The answer was not ready in time; a command may have been recorded: retry with the same request id."
        ),
        Refusal::TokenMismatch => say!(
            l,
            "分页或续传标记与本请求不符，请从头开始。",
            "The page or resume token was not given for this request; start over."
        ),
        Refusal::ActorMissing { what } => {
            say!(l, "请求元数据中的 {what} 缺失或格式不正确。", "The request metadata {what} is missing or malformed.")
        }
        Refusal::NotPermitted { needed } => {
            say!(
                l,
                "您的角色无权进行此操作，需要角色 {needed}。",
                "Your role may not make this call; it takes the role {needed}."
            )
        }
        Refusal::DeviceClock { offset_ms, takes_offset: true } => say!(
            l,
            "设备时钟偏差过大，本次未作任何记录；请以 clock_offset_ms = {offset_ms} 重发。",
            "The device's clock is too far off and nothing was recorded; send again with clock_offset_ms = {offset_ms}.",
        ),
        Refusal::DeviceClock { offset_ms, takes_offset: false } => say!(
            l,
            "设备时钟偏差过大（应加 {offset_ms} 毫秒），本次未作任何记录；请不填 occurred_at 重发。",
            "The device's clock is too far off, by {offset_ms} ms, and nothing was recorded; send again without occurred_at.",
        ),
        Refusal::Draining => {
            say!(l, "服务正在停机，请重新连接并续传。", "The server is draining; reconnect and resume.")
        }
        Refusal::Unsupported => say!(
            l,
            "没有该接口，或请求形式不被接受（例如压缩）。",
            "There is no such call, or the request comes in a form that is not taken, such as compressed."
        ),
        Refusal::SlowReader { .. } => say!(
            l,
            "读取过慢，推送已结束；请凭续传标记继续。",
            "The stream was read too slowly and ended; resume with the token."
        ),
        Refusal::Internal { incident } => {
            say!(l, "系统内部故障，编号 {incident}。", "A fault of the engine; it is logged as {incident}.")
        }
    }
}

fn rejection(rejection: &Rejection, l: Language) -> String {
    match rejection {
        Rejection::Invalid(violations) => invalid(violations, l),
        Rejection::NotFound => refusal(&Refusal::TicketNotFound, l),
        Rejection::IllegalMove { asked, stage, business, merged, suspended, legal } => {
            let separator = match l {
                Language::Zh => "、",
                Language::En => ", ",
            };
            let legal = legal.open().map(|m| m.term(l)).collect::<Vec<_>>().join(separator);
            let waits = match (l, merged, suspended) {
                (_, false, false) => "",
                (Language::Zh, true, _) => "（已合并）",
                (Language::Zh, false, true) => "（已挂起）",
                (Language::En, true, _) => ", merged",
                (Language::En, false, true) => ", suspended",
            };
            say!(
                l,
                "{business}工单{stage}{waits}，不能{asked}；现在可以：{legal}。",
                "A {business} ticket that is {stage}{waits} does not admit {asked}; legal now: {legal}.",
                business = business.term(l),
                stage = stage.term(l),
                asked = asked.term(l),
            )
        }
        Rejection::OutsideHolder { holder, to } => {
            say!(l, "{to} 不在当前承办单位 {holder} 之内。", "{to} lies outside the present holder {holder}.")
        }
        Rejection::WrongLevel { business, from, to } => say!(
            l,
            "{business}工单不能由{from}直接派发到{to}。",
            "A {business} ticket does not go from {from} to {to} in one step.",
            business = business.term(l),
            from = from.term(l),
            to = to.term(l),
        ),
        Rejection::AlreadyHeld { holder } => say!(l, "{holder} 已是承办单位。", "{holder} holds the ticket already."),
        Rejection::NotTheHolder { holder, actor } => say!(
            l,
            "该操作应由 {holder} 进行，{actor} 不能代表它。",
            "This is for {holder} to do; {actor} does not stand for it.",
        ),
        Rejection::NotCommonParent { actor } => say!(
            l,
            "改派须由双方的共同上级进行，{actor} 不是。",
            "To move work between units one must stand above both; {actor} does not.",
        ),
        Rejection::NotAbove { holder, actor } => say!(
            l,
            "该操作须由 {holder} 的上级进行，{actor} 不是。",
            "Only a unit above {holder} may do this; {actor} is not.",
        ),
        Rejection::AlreadyReported { step, at } => say!(
            l,
            "班组已于 {at} 报告过{step}。",
            "The crew reported {step} before, at {at}.",
            step = step.term(l),
            at = instant(*at),
        ),
        Rejection::NotRestored => say!(
            l,
            "尚未复电：以已解决回单前须先报告修复。",
            "Power is not back: a resolved reply needs the crew's restoration first."
        ),
        Rejection::TimesContradict { earlier, earlier_at, later, later_at } => say!(
            l,
            "记录的时间相互矛盾：{later}（{later_at}）早于 {earlier}（{earlier_at}），审核不能通过。",
            "The recorded times contradict each other: {later} ({later_at}) before {earlier} ({earlier_at}); the reply cannot pass.",
            earlier_at = instant(*earlier_at),
            later_at = instant(*later_at),
        ),
        Rejection::NotAnAuditor { next } => {
            say!(l, "现在应由 {next} 或其上级审核。", "It is {next}, or a unit above it, that audits the reply now.",)
        }
        Rejection::QuietHours { from_minute, to_minute } => say!(
            l,
            "{from} 至 {to} 之间不得回访客户。",
            "No revisit calls between {from} and {to}, China Standard Time.",
            from = minute(*from_minute),
            to = minute(*to_minute),
        ),
        Rejection::TooSoon { what, spacing, next } => say!(
            l,
            "两次{what}至少间隔 {minutes} 分钟，{next} 起方可再次进行。",
            "Two of {what} are at least {minutes} minutes apart; the next is possible from {next}.",
            what = what.term(l),
            minutes = spacing.num_minutes(),
            next = instant(*next),
        ),
        Rejection::Exhausted { what, max } => {
            say!(l, "该工单最多{what} {max} 次。", "This ticket takes {what} at most {max} times.", what = what.term(l))
        }
        Rejection::NotHigher { current } => say!(
            l,
            "等级只能提高，当前为{current}。",
            "A grade can only rise; it is {current} now.",
            current = current.term(l),
        ),
        Rejection::AlreadyUrgent => say!(l, "工单已是紧急。", "The ticket is urgent already."),
        Rejection::NotEscalable { business } => say!(
            l,
            "{business}工单不能这样升级：只有意见可以升级为投诉，只有投诉有等级。",
            "A {business} ticket is not escalated so: only an opinion becomes a complaint, only a complaint has a grade.",
            business = business.term(l),
        ),
        Rejection::NotLater { current } => say!(
            l,
            "延期须晚于已有的延期 {current}。",
            "An extension must reach beyond the present one, {current}.",
            current = instant(*current),
        ),
        Rejection::MasterIsChild { master } => say!(
            l,
            "该工单已并入主工单 {master}，不能再作主工单。",
            "The ticket is a child of {master} and cannot be a master.",
        ),
        Rejection::ChildUnchanged { child } => {
            say!(l, "子工单 {child} 的关系没有变化。", "{child} is a child already, or was never one.",)
        }
        Rejection::AnotherMaster { master: Some(master) } => {
            say!(l, "该工单的主工单是 {master}。", "The ticket's master is {master}.")
        }
        Rejection::AnotherMaster { master: None } => say!(l, "该工单没有主工单。", "The ticket has no master."),
        Rejection::OfferNotLive { taken_by: Some(crew), .. } => {
            say!(l, "该派工已失效：工单已由 {crew} 接走。", "The offer is gone: {crew} has the ticket.")
        }
        Rejection::OfferNotLive { taken_by: None, .. } => say!(
            l,
            "该派工已失效：已到期、被拒绝或被收回。",
            "The offer is gone: it ran out, was declined or was taken back."
        ),
        Rejection::OfferTaken { .. } => {
            say!(l, "本班组已有人接受了该派工。", "Another of the crew accepted the offer before.")
        }
        Rejection::NotYourOffer { actor } => {
            say!(l, "该派工不是派给 {actor} 的。", "The offer was not made to {actor}.")
        }
        Rejection::StaleFence { current } => say!(
            l,
            "派工凭证已过期，当前为 {current}；请刷新后再决定。",
            "The fence belongs to an older reservation; it is {current} now: watch, then decide again.",
        ),
        Rejection::StaleAttempt { attempts } => say!(
            l,
            "该工单已派工 {attempts} 次，此次序号不符。",
            "The ticket was offered {attempts} times; this is not the next offer.",
        ),
        Rejection::OffersLive { max } => say!(
            l,
            "有效派工已达 {max} 个，或该班组已有一个。",
            "No more than {max} offers are live at once, and one to a crew.",
        ),
        Rejection::EngineOnly => engine_only(l),
        Rejection::ExplanationNeeded => say!(
            l,
            "客户仍不满意，归档前须写明已作的解释。",
            "The customer stays dissatisfied: closing needs what was explained."
        ),
        Rejection::Confidential => say!(
            l,
            "该工单为保密工单，客户身份不对此角色公开。",
            "The ticket is confidential; who spoke is kept from this role."
        ),
    }
}

/// The sentence for a command that only the engine may send.
fn engine_only(l: Language) -> String {
    refusal(&Refusal::NotPermitted { needed: Role::System.as_str() }, l)
}

fn crew_rejection(rejection: &crew::Rejection, l: Language) -> String {
    use crew::Rejection as No;
    match rejection {
        No::Invalid(violations) if violations.iter().any(is_of_time) => {
            let fields = invalid(violations, l);
            say!(l, "{fields}时间以服务器时钟为准。", "{fields} Times are judged by the server's clock.")
        }
        No::Invalid(violations) => invalid(violations, l),
        No::NotEnrolled => say!(l, "名册上没有这个班组。", "The roster does not know the crew."),
        No::NotTheCrew { actor } => {
            say!(l, "{actor} 不能代表该班组。", "{actor} does not stand for the crew.")
        }
        No::NotAbove { actor } => say!(
            l,
            "名册由班组的上级维护，{actor} 不是。",
            "Only a unit above the crew writes the roster; {actor} is not.",
        ),
        No::EngineOnly => engine_only(l),
        No::OnShift { until } => say!(
            l,
            "班组已在班，预定 {until} 下班。",
            "The crew is on shift already, until {until}.",
            until = instant(*until),
        ),
        No::OffShift => say!(l, "班组不在班。", "The crew is not on shift."),
        No::Away { why } => {
            say!(l, "班组暂不能出动：{why}。", "The crew cannot be sent for now: {why}.", why = why.term(l))
        }
        No::Unchanged => say!(l, "状态没有变化。", "The crew is in that state already."),
        No::Reserved { offer } => {
            say!(l, "班组已为派工 {offer} 预留。", "The crew's time is kept for the offer {offer}.")
        }
        No::Committed { tickets } => say!(
            l,
            "班组名下还有 {count} 张未完成的工单，请先移交或召回。",
            "The crew still has {count} tickets; hand them over or recall them first.",
            count = tickets.len(),
        ),
        No::NotHeld { ticket } => {
            say!(l, "班组的时间并未用于工单 {ticket}。", "The crew's time is not taken by the ticket {ticket}.")
        }
        No::Overcommitted { max } => {
            say!(l, "班组最多同时承办 {max} 张工单。", "A crew has at most {max} tickets at once.")
        }
    }
}

/// True for a violation that depends on a clock: a device's clock may differ from the server's.
fn is_of_time(violation: &Violation) -> bool {
    matches!(violation.problem, Problem::InTheFuture | Problem::InThePast | Problem::TooFarAhead { .. })
}

/// The first violations; the details contain all of them.
fn invalid(violations: &[Violation], l: Language) -> String {
    let shown = violations.iter().take(VIOLATIONS_SHOWN_MAX);
    let more = violations.len().saturating_sub(VIOLATIONS_SHOWN_MAX);
    let fields = shown.map(|violation| format!("{} {}", violation.field, problem(&violation.problem, l)));
    let rest = (more > 0).then(|| say!(l, "另有 {more} 处", "and {more} more"));
    let fields = fields.chain(rest);
    match l {
        Language::Zh => format!("请求有误：{}。", fields.collect::<Vec<_>>().join("；")),
        Language::En => format!("The request cannot be accepted: {}.", fields.collect::<Vec<_>>().join("; ")),
    }
}

/// The sentence for an invalid field.
pub(crate) fn problem(problem: &Problem, l: Language) -> String {
    match problem {
        Problem::Missing => say!(l, "必填", "is required"),
        Problem::TooLong { limit } => say!(l, "超过 {limit} 字节", "is longer than {limit} bytes"),
        Problem::TooMany { limit } => say!(l, "超过 {limit} 项", "has more than {limit} entries"),
        Problem::Malformed { expected } => say!(l, "格式不正确，应为：{expected}", "is malformed; expected {expected}"),
        Problem::Unreadable { detail } => say!(l, "无法解析（{detail}）", "cannot be read: {detail}"),
        Problem::Contradicts { other } => say!(l, "与 {other} 矛盾", "contradicts {other}"),
        Problem::InTheFuture => say!(l, "晚于当前时间", "lies in the future"),
        Problem::InThePast => say!(l, "须为将来的时间", "lies in the past"),
        Problem::TooFarAhead { days_max } => {
            say!(l, "须在 {days_max} 天以内", "lies more than {days_max} days ahead")
        }
    }
}

/// The sentence for a legal move.
pub(super) fn legal(m: Move, l: Language) -> String {
    say!(l, "现在可以{m}", "{m} is legal now", m = m.term(l))
}

/// A minute of the day as `HH:MM`.
pub(super) fn minute(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// An instant in China Standard Time.
fn instant(at: Timestamp) -> String {
    const CHINA_SECONDS: i32 = 8 * 3600;
    match FixedOffset::east_opt(CHINA_SECONDS) {
        Some(china) => at.with_timezone(&china).format("%Y-%m-%d %H:%M:%S").to_string(),
        None => at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
    }
}
