//! Made-up Chinese customers.
//!
//! Names are drawn from word lists by number; no real person or company is meant. A share of them
//! carries what real data carries: quotes, blanks in odd places, emoji, rare characters, and text
//! that looks like SQL, JSON, HTML or a template. All of it has to arrive unchanged.

use crate::data::draw;

const CITIES: [&str; 20] = [
    "杭州", "上海", "苏州", "宁波", "广州", "深圳", "佛山", "成都", "重庆", "武汉", "长沙", "郑州", "青岛",
    "厦门", "合肥", "西安", "天津", "沈阳", "昆明", "南宁",
];
const WORDS: [&str; 24] = [
    "云杉", "远山", "清禾", "瑞丰", "明德", "海棠", "金穗", "星河", "恒泰", "百川", "青橙", "木棉", "知行",
    "朗润", "嘉禾", "同舟", "晨曦", "万里", "锦程", "松果", "白鹭", "云帆", "思齐", "和光",
];
const TRADES: [&str; 12] = [
    "贸易",
    "电子商务",
    "服饰",
    "家居",
    "食品",
    "母婴用品",
    "信息技术",
    "文化传媒",
    "五金",
    "化妆品",
    "建材",
    "医疗器械",
];
const FORMS: [&str; 4] = ["有限公司", "商行", "工作室", "（中国）有限公司"];
const FAMILY: [&str; 24] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "林", "郭",
    "何", "高", "罗", "欧阳", "司马", "诸葛", "䶮",
];
const GIVEN: [&str; 24] = [
    "伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "杰", "娟", "涛", "明", "超", "霞",
    "平", "刚", "桂英", "子轩", "雨桐", "一诺", "喆",
];
/// Every customer whose number ends so in this cycle gets one of the awkward names.
const AWKWARD_EVERY: u64 = 11;
/// `{}` stands for an ordinary name.
const AWKWARD: [&str; 18] = [
    "{} \"旗舰店\"",
    "{}'s 小店",
    "{}🍊✨",
    "{}  双空格",
    "{} ",
    " {}",
    "{}\\n不是换行",
    "{}（沪A·8848）",
    "{}<b>&amp;</b>",
    "{}'; DROP TABLE T_BD_CUSTOMER; --",
    "{{buyerCid}}{}",
    "<<buyerCid>>{}",
    "_function CONCAT('{}','x')",
    "{}\u{3000}全角空格",
    "{}\t制表符",
    "{}𠮷野家👨‍👩‍👧",
    "{},逗号;分号",
    "{\"name\":\"{}\"}",
];

fn pick<'a>(words: &[&'a str], number: u64) -> &'a str {
    let len = u64::try_from(words.len()).expect("word lists are short");
    words[usize::try_from(number % len).expect("smaller than the list")]
}

/// The nick of one customer; the same for the same seed and number.
pub(crate) fn nick(seed: u64, customer: u64) -> String {
    let h = draw(seed, 1, customer);
    let plain = if h.is_multiple_of(3) {
        format!("{}{}", pick(&FAMILY, h >> 8), pick(&GIVEN, h >> 20))
    } else {
        let (city, word) = (pick(&CITIES, h >> 8), pick(&WORDS, h >> 20));
        format!("{city}{word}{}{}", pick(&TRADES, h >> 32), pick(&FORMS, h >> 44))
    };
    if customer % AWKWARD_EVERY != AWKWARD_EVERY - 1 {
        return plain;
    }
    pick(&AWKWARD, customer / AWKWARD_EVERY).replacen("{}", &plain, 1)
}

pub(crate) fn city(seed: u64, customer: u64) -> &'static str {
    pick(&CITIES, draw(seed, 1, customer) >> 8)
}

pub(crate) fn goods(number: u64) -> &'static str {
    const GOODS: [&str; 8] = [
        "纯棉T恤 白色 XL",
        "保温杯 500ml",
        "6\" 平底锅",
        "儿童绘本（精装）",
        "坚果礼盒🎁",
        "USB-C 数据线",
        "面霜 50g",
        "跑步鞋 42.5码",
    ];
    pick(&GOODS, number)
}

pub(crate) fn remark(number: u64) -> &'static str {
    const REMARKS: [&str; 8] = [
        "",
        "请尽快发货",
        "开发票：抬头\"个人\"",
        "门卫代收\n周末不在",
        "老客户 VIP ",
        "",
        "0012号柜",
        "😀谢谢",
    ];
    pick(&REMARKS, number)
}
