//! The terms of the domain in each language. The English terms are the stable names.

use switchboard_domain::{
    crew::Absence,
    organisation::Level,
    ticket::{BusinessType, CrewProgress, Grade, Move, Stage},
};

use super::Language;

/// A term of the domain.
pub(super) trait Term: Copy {
    /// The term in this language.
    fn term(self, language: Language) -> &'static str;
}

macro_rules! terms {
    ($($list:ident { $($word:ident $chinese:literal,)+ })+) => {$(
        impl Term for $list {
            fn term(self, language: Language) -> &'static str {
                match (language, self) {
                    (Language::En, word) => word.as_str(),
                    $((Language::Zh, Self::$word) => $chinese,)+
                }
            }
        }
    )+};
}

terms! {
    Move {
        Receive "受理",
        Supplement "补充",
        Classify "分类定级",
        CloseAtFirstContact "办结",
        Dispatch "派发",
        Accept "接单",
        Return "退单",
        Reassign "改派",
        ReportProgress "抢修进程",
        Contact "联系客户",
        Reply "回单",
        AuditReply "回单审核",
        Revisit "回访",
        Reopen "重新处理",
        Close "归档",
        Urge "催办",
        Supervise "督办",
        Escalate "升级",
        Suspend "挂起",
        Resume "恢复",
        Extend "延期",
        Merge "合并",
        Unmerge "取消合并",
        AdoptChild "接收子工单",
        ReleaseChild "解除子工单",
        FollowMaster "随主工单办理",
        Withdraw "撤销",
        Reveal "查看敏感信息",
        Offer "派工",
        AcceptOffer "接受派工",
        DeclineOffer "拒单",
        EndOffer "结束派工",
        HandOver "移交",
        Recall "召回班组",
        Pin "指定班组",
    }
    Stage {
        Received "已受理",
        Classified "已分类",
        Dispatched "已派单",
        Accepted "已接单",
        Replied "已回复",
        AwaitingRevisit "待回访",
        ReadyToClose "待归档",
        Closed "已归档",
        Withdrawn "已撤销",
    }
    BusinessType {
        InformationQuery "信息查询",
        Consultation "业务咨询",
        FaultRepair "故障报修",
        Complaint "投诉",
        Report "举报",
        Opinion "意见",
        Suggestion "建议",
        Praise "表扬",
        ServiceApplication "服务申请",
        Urge "催办",
    }
    CrewProgress {
        None "未派班组",
        Assigned "已派班组",
        Accepted "已接单",
        EnRoute "已出发",
        Arrived "已到达",
        Diagnosed "已研判",
        Restored "已修复",
    }
    Absence {
        Ill "人员生病",
        Vehicle "车辆故障",
        Rest "休息",
        OtherWork "另有任务",
    }
    Grade {
        General "一般",
        Important "重要",
        Major "重大",
        Special "特殊",
    }
}

impl Term for Level {
    fn term(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Nation, Language::Zh) => "全国中心",
            (Self::Nation, Language::En) => "nation",
            (Self::Province, Language::Zh) => "省公司",
            (Self::Province, Language::En) => "province",
            (Self::City, Language::Zh) => "地市公司",
            (Self::City, Language::En) => "city",
            (Self::County, Language::Zh) => "县公司",
            (Self::County, Language::En) => "county",
            (Self::Station, Language::Zh) => "供电所",
            (Self::Station, Language::En) => "station",
            (Self::Crew, Language::Zh) => "班组",
            (Self::Crew, Language::En) => "crew",
        }
    }
}
