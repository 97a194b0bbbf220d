//! The catalogue of indicators: every definition in both languages. `measure.rs` counts what is defined here.

use super::{Exclusion, Kpi, Measure, Origin, Text, Unit, measure};

const fn text(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

pub(super) const NOTHING_EXCLUDED: Text = text("无", "nothing");

pub(super) fn excluded(exclusion: Exclusion) -> Text {
    match exclusion {
        Exclusion::Withdrawn => text("已撤销工单", "withdrawn tickets"),
        Exclusion::Child => text("已合并子单（计入主单）", "tickets merged into a master, which counts instead"),
        Exclusion::UrgeOrder => {
            text("催办工单（计入被催办工单）", "urge orders; the ticket that they urge counts instead")
        }
        Exclusion::Proactive => text("电网侧主动工单", "tickets that the grid opened before anybody called"),
        Exclusion::NobodyToAsk => text(
            "无需回访：业务类型不回访、匿名、保密，或未经回访归档",
            "nobody to ask: no revisit for this business type, anonymous, confidential, or archived without one",
        ),
    }
}

const KEPT: Text = text("在时限内完成的时钟数", "clocks that were kept");
const SETTLED: Text = text(
    "在时限内完成与超时的时钟数（进行中、已取消的不计）",
    "clocks that were kept or breached; not those that run or were cancelled",
);
const OVERDUE: Text = text(
    "派发、接单、联系客户、到达现场、现场处理、回单任一超时的工单数（内控时限不计）",
    "tickets late in dispatch, acceptance, contact, arrival, action or reply; not by internal limits",
);
const DISPATCHED: Text = text("已派发工单数", "tickets that were dispatched");
const HANDED_OVER: Text = text("派发与改派次数", "hand-overs: dispatches and reassignments");
const EVERY: Text = text("受理工单数", "tickets received");

const BY_VERDICT: Text = text(
    "判定时刻：按时的为完成时刻，超时的为应完成时刻",
    "when the verdict fell: when the promise was met, or when due passed without it",
);
const BY_RECEIVED: Text = text("受理时刻", "when the ticket was received");
const BY_DISPATCHED: Text = text("首次派发时刻", "when the ticket was first dispatched");
const BY_HAND_OVER: Text = text("派发或改派时刻", "when it was handed over");
const BY_SETTLED: Text =
    text("回单审核通过或随主单办结时刻", "when the reply passed its last audit or the master's outcome was taken over");
const BY_REPLIED: Text = text("作出认定的回单时刻", "when that reply was given");
const BY_REVISITED: Text = text("回访完成时刻", "when the revisit was done");
const BY_ARCHIVED: Text = text("归档时刻", "when the ticket was archived");
const BY_BREACH: Text = text("首次超时的应完成时刻", "the due instant of the ticket's first breach");
const BY_NOTHING: Text = text("不统计", "not counted");

const TO_CLOCK: Text = text(
    "超时的归应完成时刻的持单单位，按时的归完成前的持单单位",
    "who held the ticket at due if breached, who held it until it was met if kept",
);
const TO_RECEIVER: Text = text("受理单位", "the unit that received it");
const TO_HANDLER: Text = text("回访时的持单单位", "who held the ticket at the revisit: the unit that handled it");
const TO_REPLIER: Text = text("回单时的持单单位", "who held the ticket at that reply");
const TO_TAKER: Text = text("接到派发的单位", "the unit that it was handed to");
const TO_CREW: Text = text("该到达或修复时的持单班组", "the crew that held it at that arrival or restoration");
const TO_URGED: Text = text(
    "首次催办时的持单单位；未催办的归最后持单单位",
    "who held it at the first urge; who holds it last if it was not urged",
);
const TO_BREACHER: Text = text(
    "首次超时的责任单位；未超时的归最后持单单位",
    "who answers for the first breach; who holds it last if there was none",
);
const TO_MERGED: Text = text(
    "合并时的持单单位；未合并的归最后持单单位",
    "who held it at the merge; who holds it last if it was not merged",
);
const TO_NOBODY: Text = text("不统计", "not counted");

const POLICY: Text = text("供电企业现行时限规则；通行定义", "the clocks of the operator's policy; usual definition");
const USUAL: Text = text("通行定义", "usual definition");
const IN_USE: Text = text("供电企业现行指标", "an indicator in use at suppliers");

const CALLER: Text = text("无法识别同一客户的多次致电", "a customer's calls are not recognised as one customer's");
const CUSTOMERS: Text = text("无户数数据", "there are no numbers of customers");
const OUTAGES: Text = text("停电信息不在本系统", "outage notices are not kept here");
const TELEPHONY: Text = text("话务数据不在本系统", "telephony is not kept here");

const OWN_WORK: &[Exclusion] = &[Exclusion::Withdrawn, Exclusion::Child];
const DISPATCHES: &[Exclusion] = &[Exclusion::Withdrawn];

/// An indicator over the clocks with one name.
const fn on_time(name: &'static str, title: Text, exclusions: &'static [Exclusion], measure: Measure) -> Kpi {
    Kpi {
        name,
        title,
        unit: Unit::Percent,
        numerator: KEPT,
        denominator: SETTLED,
        period: BY_VERDICT,
        attribution: TO_CLOCK,
        source: POLICY,
        exclusions,
        origin: Origin::Facts(measure),
    }
}

/// An indicator whose data the log does not have yet.
const fn missing(
    name: &'static str,
    title: Text,
    unit: Unit,
    above: Text,
    below: Text,
    source: Text,
    why: Text,
) -> Kpi {
    Kpi {
        name,
        title,
        unit,
        numerator: above,
        denominator: below,
        period: BY_NOTHING,
        attribution: TO_NOBODY,
        source,
        exclusions: &[],
        origin: Origin::Nowhere(why),
    }
}

pub(super) static DEFINITIONS: [Kpi; 31] = [
    on_time("dispatch_on_time_rate", text("派单及时率", "dispatched on time"), DISPATCHES, measure::dispatch_on_time),
    on_time("accept_on_time_rate", text("接单及时率", "accepted on time"), DISPATCHES, measure::accept_on_time),
    on_time(
        "contact_on_time_rate",
        text("联系客户及时率", "customer contacted on time"),
        OWN_WORK,
        measure::contact_on_time,
    ),
    on_time(
        "arrival_on_time_rate",
        text("到达现场及时率", "arrived on site on time"),
        OWN_WORK,
        measure::arrival_on_time,
    ),
    on_time("reply_on_time_rate", text("回单及时率", "replied on time"), OWN_WORK, measure::reply_on_time),
    Kpi {
        name: "first_contact_resolution_rate",
        title: text("一次解决率", "first-contact resolution (FCR)"),
        unit: Unit::Percent,
        numerator: text("首次接触即办结的工单数", "tickets answered and closed at first contact"),
        denominator: EVERY,
        period: BY_RECEIVED,
        attribution: TO_RECEIVER,
        source: text(
            "通行定义；同一事项再次来电另立工单的无法识别",
            "usual definition; a later call that opened a ticket of its own is not recognised",
        ),
        exclusions: &[Exclusion::Withdrawn, Exclusion::UrgeOrder, Exclusion::Proactive],
        origin: Origin::Facts(measure::first_contact),
    },
    Kpi {
        name: "revisit_rate",
        title: text("回访率", "revisited"),
        unit: Unit::Percent,
        numerator: text("已回访或已尝试回访的工单次数", "tickets that were revisited, or of which a revisit was tried"),
        denominator: text("应回访的工单次数", "tickets that were to be revisited, once for each cycle"),
        period: BY_SETTLED,
        attribution: TO_RECEIVER,
        source: USUAL,
        exclusions: &[Exclusion::Withdrawn, Exclusion::NobodyToAsk],
        origin: Origin::Facts(measure::revisit),
    },
    Kpi {
        name: "revisit_success_rate",
        title: text("回访成功率", "revisits that reached the customer"),
        unit: Unit::Percent,
        numerator: text(
            "联系到客户的回访数（含客户拒绝评价）",
            "revisits that reached the customer, who may have declined",
        ),
        denominator: text("已完成的回访数", "revisits that were done"),
        period: BY_REVISITED,
        attribution: TO_RECEIVER,
        source: USUAL,
        exclusions: DISPATCHES,
        origin: Origin::Facts(measure::revisit_success),
    },
    Kpi {
        name: "satisfaction_rate",
        title: text("满意率", "satisfied"),
        unit: Unit::Percent,
        numerator: text("评价为非常满意或满意的回访数", "revisits with the answer very satisfied or satisfied"),
        denominator: text(
            "有评价的回访数（未答复、拒绝、联系不上的不计）",
            "revisits with an answer; not those without answer, declined or in vain",
        ),
        period: BY_REVISITED,
        attribution: TO_HANDLER,
        source: USUAL,
        exclusions: DISPATCHES,
        origin: Origin::Facts(measure::satisfaction),
    },
    Kpi {
        name: "return_rate",
        title: text("退单率", "returned"),
        unit: Unit::Percent,
        numerator: text("被接收单位退回的派发次数", "hand-overs that the unit gave back"),
        denominator: HANDED_OVER,
        period: BY_HAND_OVER,
        attribution: TO_TAKER,
        source: USUAL,
        exclusions: DISPATCHES,
        origin: Origin::Facts(measure::returned),
    },
    Kpi {
        name: "urge_rate",
        title: text("催办率", "urged"),
        unit: Unit::Percent,
        numerator: text("至少催办一次的工单数", "tickets that were urged at least once"),
        denominator: DISPATCHED,
        period: BY_DISPATCHED,
        attribution: TO_URGED,
        source: USUAL,
        exclusions: &[Exclusion::Withdrawn, Exclusion::UrgeOrder],
        origin: Origin::Facts(measure::urged),
    },
    Kpi {
        name: "overdue_rate",
        title: text("超时率", "overdue"),
        unit: Unit::Percent,
        numerator: OVERDUE,
        denominator: DISPATCHED,
        period: BY_DISPATCHED,
        attribution: TO_BREACHER,
        source: USUAL,
        exclusions: OWN_WORK,
        origin: Origin::Facts(measure::overdue),
    },
    Kpi {
        name: "merge_rate",
        title: text("合并率", "merged"),
        unit: Unit::Percent,
        numerator: text("合并到主单且未取消合并的工单数", "tickets merged into a master and not taken out again"),
        denominator: text(
            "已派发或已合并的可合并类工单数",
            "tickets of a business type that can be merged, dispatched or merged",
        ),
        period: BY_RECEIVED,
        attribution: TO_MERGED,
        source: USUAL,
        exclusions: DISPATCHES,
        origin: Origin::Facts(measure::merged),
    },
    Kpi {
        name: "app_acceptance_rate",
        title: text("移动APP接单率", "accepted by the crew itself"),
        unit: Unit::Percent,
        numerator: text(
            "有班组接单记录的派工次数",
            "hand-overs to a crew that it accepted by a report of its own, not by starting to work",
        ),
        denominator: text("派发到班组的次数", "hand-overs to a crew"),
        period: BY_HAND_OVER,
        attribution: TO_TAKER,
        source: text(
            "供电企业现行指标；由上级代班组接单的无法区分",
            "an indicator in use at suppliers; an acceptance made for the crew by a desk cannot be told apart",
        ),
        exclusions: OWN_WORK,
        origin: Origin::Facts(measure::accepted_in_app),
    },
    Kpi {
        name: "mean_arrival_minutes",
        title: text("平均到达现场时长", "mean time to arrival"),
        unit: Unit::Minutes,
        numerator: text("自受理至首次到达现场的秒数之和", "seconds from the report to the first arrival on site"),
        denominator: text("已归档且有到达记录的故障报修工单数", "archived fault repairs with an arrival"),
        period: BY_ARCHIVED,
        attribution: TO_CREW,
        source: IN_USE,
        exclusions: OWN_WORK,
        origin: Origin::Facts(measure::arrival_minutes),
    },
    Kpi {
        name: "mean_restoration_minutes",
        title: text("平均故障修复时长", "mean time to restoration"),
        unit: Unit::Minutes,
        numerator: text(
            "自首次到达现场至最后修复的秒数之和",
            "seconds from the first arrival on site to the last restoration",
        ),
        denominator: text(
            "已归档且有到达和修复记录的故障报修次数",
            "archived fault repairs with an arrival and a restoration, once for each cycle",
        ),
        period: BY_ARCHIVED,
        attribution: TO_CREW,
        source: IN_USE,
        exclusions: OWN_WORK,
        origin: Origin::Facts(measure::restoration_minutes),
    },
    Kpi {
        name: "overdue_tickets",
        title: text("95598工单处理不及时件数", "overdue tickets"),
        unit: Unit::Count,
        numerator: OVERDUE,
        denominator: text("", ""),
        period: BY_BREACH,
        attribution: TO_BREACHER,
        source: IN_USE,
        exclusions: OWN_WORK,
        origin: Origin::Facts(measure::overdue_tickets),
    },
    Kpi {
        name: "complaint_substantiation_rate",
        title: text("投诉属实率", "complaints found true"),
        unit: Unit::Percent,
        numerator: text("回单认定属实的投诉数", "complaints that their last reply found true"),
        denominator: text(
            "回单作出认定的投诉数",
            "complaints whose reply says whether they are true, once for each cycle",
        ),
        period: BY_REPLIED,
        attribution: TO_REPLIER,
        source: USUAL,
        exclusions: OWN_WORK,
        origin: Origin::Facts(measure::substantiated),
    },
    missing(
        "repeat_call_rate",
        text("重复致电率", "repeat calls"),
        Unit::Percent,
        text("重复致电的工单数", "tickets about which the customer called again"),
        DISPATCHED,
        USUAL,
        CALLER,
    ),
    missing(
        "tickets_called_three_times",
        text("客户三次致电件数", "matters called in three times"),
        Unit::Count,
        text("客户就同一事项致电三次及以上的件数", "matters about which the customer called three times or more"),
        text("", ""),
        IN_USE,
        CALLER,
    ),
    missing(
        "improper_handling_tickets",
        text("业务处理不规范件数", "improperly handled tickets"),
        Unit::Count,
        text("质检认定处理不规范的工单数", "tickets that a quality check found improperly handled"),
        text("", ""),
        IN_USE,
        text("无质检结论", "there are no findings of quality checks"),
    ),
    missing(
        "service_quality_index",
        text("优质服务评价指数", "service quality index"),
        Unit::Percent,
        text(
            "(1-三次致电事项数/业务处理量)×100%，再按扣分项扣减",
            "(1 - matters called in three times / volume handled) x 100 %, less penalties",
        ),
        text("业务处理量", "volume handled"),
        IN_USE,
        text(
            "需识别同一客户的多次致电，以及媒体事件和违规查实情况",
            "needs a customer's calls to be recognised, media events and proven misconduct",
        ),
    ),
    missing(
        "service_conduct_rate",
        text("营销服务规范率", "marketing service conduct rate"),
        Unit::Percent,
        text("一类投诉、二类投诉、举报数加权", "class-1 complaints, class-2 complaints and reports, weighted"),
        text("人工话务量/100×50%+客户数/1000×50%", "human calls/100 x 50 % + customers/1000 x 50 %"),
        IN_USE,
        text("无人工话务量和客户数", "there are neither numbers of calls nor of customers"),
    ),
    missing(
        "connection_conduct_rate",
        text("业扩报装服务规范率", "connection service conduct rate"),
        Unit::Percent,
        text(
            "0.4×协同及时率+0.3×及时率+0.3×满意率",
            "0.4 x co-ordination on time + 0.3 x on time + 0.3 x satisfaction",
        ),
        text("已归档业扩流程", "archived connection processes"),
        IN_USE,
        text("业扩流程不在本系统", "connection processes are not kept here"),
    ),
    missing(
        "repairs_per_100k_households",
        text("10万户报修率", "fault repairs per 100,000 households"),
        Unit::Count,
        text("故障报修工单数", "fault repair tickets"),
        text("户数/100000", "households / 100,000"),
        IN_USE,
        CUSTOMERS,
    ),
    missing(
        "complaints_per_1k_customers",
        text("千户投诉率", "complaints per 1,000 customers"),
        Unit::Count,
        text("投诉数", "complaints"),
        text("客户数/1000", "customers / 1,000"),
        IN_USE,
        CUSTOMERS,
    ),
    missing(
        "complaints_per_10k_customers",
        text("万户投诉率", "complaints per 10,000 customers"),
        Unit::Count,
        text("投诉数", "complaints"),
        text("客户数/10000", "customers / 10,000"),
        USUAL,
        CUSTOMERS,
    ),
    missing(
        "outage_notice_on_time_rate",
        text("停电信息发布及时率", "outage notices published on time"),
        Unit::Percent,
        text("及时发布的停电信息数", "outage notices published on time"),
        text("停电信息数", "outage notices"),
        IN_USE,
        OUTAGES,
    ),
    missing(
        "outage_traced_rate",
        text("停电范围分析到户率", "outages traced to households"),
        Unit::Percent,
        text("分析到户的停电信息数", "outages whose reach was traced to households"),
        text("停电信息数", "outage notices"),
        IN_USE,
        OUTAGES,
    ),
    missing(
        "answer_rate",
        text("人工接通率", "calls answered by an agent"),
        Unit::Percent,
        text("人工接通量", "calls answered"),
        text("人工呼入量", "calls offered to agents"),
        USUAL,
        TELEPHONY,
    ),
    missing(
        "service_level_20s",
        text("20秒服务水平", "service level, 20 s"),
        Unit::Percent,
        text("20秒内人工接通量", "calls answered within 20 s"),
        text("人工呼入量", "calls offered to agents"),
        USUAL,
        TELEPHONY,
    ),
];
