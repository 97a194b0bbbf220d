//! Texts and names of the city, in Chinese as on the hotline. All of them are invented. The texts follow the published
//! writing rules: tags in brackets first, no names, no emotions. Absent: logic.

pub(super) const SURNAMES: [&str; 20] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗",
];

pub(super) const GIVEN: [&str; 24] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英",
    "桂兰", "建国", "志强", "海燕", "晓东", "文静",
];

pub(super) const STREETS: [&str; 12] = [
    "灯塔路",
    "银杏街",
    "望湖路",
    "青石巷",
    "稻香路",
    "新桥街",
    "翠竹路",
    "平安街",
    "映月路",
    "梧桐街",
    "文澜路",
    "河滨街",
];

pub(super) fn address(street: &str, building: u32, room: u32) -> String {
    format!("{street}{building}号{room}室")
}

pub(super) const QUERY: &str = "【信息查询】客户查询电费余额。";
pub(super) const QUERY_ANSWER: &str = "已告知客户当前余额及查询方式。";
pub(super) const CONSULTATION: &str = "【业务咨询】客户咨询居民阶梯电价标准。";
pub(super) const CONSULTATION_ANSWER: &str = "已按知识库内容答复客户。";
pub(super) const CONSULTATION_OPEN: &str = "【业务咨询】客户咨询小区充电桩报装的现场条件,知识库无内容,请核实答复。";
pub(super) const SINGLE_OUTAGE: &str = "【一户无电】低压居民客户报修一户无电,室内开关未跳闸,请尽快核实处理。";
pub(super) const SHARED_OUTAGE: &str = "【多户无电】客户反映楼栋多户无电,经系统查询无停电信息,请尽快核实处理。";
pub(super) const STILL_OUT: &str = "客户再次来电,反映仍未来电。";
pub(super) const ARREARS: &str = "【一户无电】客户报修一户无电,经查为欠费停电。";
pub(super) const ARREARS_ANSWER: &str = "已告知客户缴费后即可复电。";
pub(super) const SERVICE: &str = "【服务申请】客户申请校验电能表。";
pub(super) const COMPLAINT: &str = "【停送电投诉】【频繁停电】客户反映该小区近两个月停电3次以上,要求彻底解决并答复。";
pub(super) const WHISTLE: &str = "【举报】客户反映有人绕越电表用电,要求保密。";
pub(super) const OPINION: &str = "【意见】客户反映营业厅排队时间较长,希望增加窗口。";
pub(super) const SUGGESTION: &str = "【建议】客户建议在小区公示停电计划。";
pub(super) const PRAISE: &str = "【表扬】客户表扬抢修人员到场迅速、服务规范。";
pub(super) const URGE: &str = "【催办】客户催促尽快处理此前报修。";

pub(crate) const CAUSES: [&str; 6] =
    ["熔断器故障", "低压接户线断线", "表后开关接线端子烧损", "配电变压器跌落保险熔断", "树枝触碰线路", "鸟害引起跳闸"];
pub(crate) const FAULT_MEASURES: &str = "抢修班组到达现场更换故障元件,恢复供电。";
pub(crate) const BEYOND_LOW_VOLTAGE: &str = "现场检查为高压侧故障,需高压班组处理。";
pub(super) const DESK_MEASURES: &str = "已核实并向客户解释,客户表示认可。";
pub(super) const CUSTOMER_SIDE: &str = "现场核实为客户内部线路故障,已告知由客户自行处理。";
pub(super) const SAME_TROUBLE: &str = "经核实为同一台区同一故障,合并处理。";
pub(super) const NOT_THE_SAME: &str = "召测显示该户另有故障,取消合并。";
pub(super) const WRONG_AREA: &str = "该地址不属本所供电范围,建议派往同县另一供电所。";
pub(super) const BUSY: &str = "原班组正在处理另一故障,改派邻近班组。";
pub(super) const CAME_BACK: &str = "客户来电称已自行恢复供电,撤销报修。";
pub(super) const SUPERVISED: &str = "请于一小时内反馈现场情况。";
pub(super) const NOT_REPAIRED: &str = "客户反映夜间再次停电,要求重新处理。";
pub(super) const SUSPENDED: &str = "客户要求下周再上门。";
pub(super) const EXTENDED: &str = "已完成现场勘查,待计量中心出具校验结果。";
pub(super) const ESCALATED: &str = "客户不认可解释,坚持按投诉处理。";
pub(super) const INCOMPLETE: &str = "未说明整改计划,请补充后重新回复。";
pub(super) const EXPLAINED: &str = "已向客户说明线路改造计划及完成时间。";

pub(super) const CATEGORY_QUERY: &str = "信息查询/电费查询";
pub(super) const CATEGORY_CONSULTATION: &str = "业务咨询/电价电费";
pub(super) const CATEGORY_CHARGING: &str = "业务咨询/用电业务/充电桩";
pub(crate) const CATEGORY_SINGLE: &str = "故障报修/低压故障/低压设备/熔断器";
pub(super) const CATEGORY_SHARED: &str = "故障报修/低压故障/低压线路";
pub(super) const CATEGORY_INSIDE: &str = "故障报修/客户内部故障/居民客户内部故障";
pub(super) const CATEGORY_SERVICE: &str = "服务申请/电能表校验";
pub(super) const CATEGORY_COMPLAINT: &str = "投诉/停送电投诉/停电问题/频繁停电";
pub(super) const CATEGORY_WHISTLE: &str = "举报/窃电";
pub(super) const CATEGORY_OPINION: &str = "意见/营业服务/营业厅";
pub(super) const CATEGORY_SUGGESTION: &str = "建议/停电信息";
pub(super) const CATEGORY_PRAISE: &str = "表扬/抢修服务";
pub(super) const CATEGORY_URGE: &str = "催办/故障报修";
