//! E6130-E6149: data mappings and field mappings that people and other systems set.

use super::Entry;
use crate::diagnostic::Severity;

/// A source record that has another document already.
pub const TAKEN: Entry = Entry {
    code: "E6130",
    severity: Severity::Error,
    zh: "来源 {source} 已映射到 {id},不能再新建到别的单据",
    en: "the source {source} is mapped to {id} already, and not to another document",
    help_zh: "要改目标 id,用更新(updateSyncDataMapping、engine map set)",
    help_en: "to change the id at the destination, update the mapping (updateSyncDataMapping, engine map set)",
    long_zh: "同一方案、同一对对象下,一个来源 id 只有一条数据映射。重复新建同样的映射算成功、不做任何改变;指向别的单据则被拒绝,什么也没有写。",
    long_en: "Within a policy and a pair of objects a source id has one mapping. Creating the same one again succeeds and changes nothing; one to another document is refused, and nothing is written.",
    example: "POST .../mapping/create  {sourceDataId: a, destDataId: 2}   # a has 1",
};

/// An update of a mapping that is not there.
pub const MISSING: Entry = Entry {
    code: "E6131",
    severity: Severity::Error,
    zh: "没有来源 {source} 的数据映射",
    en: "there is no mapping of the source {source}",
    help_zh: "先新建映射;检查来源 id 与对象名",
    help_en: "create it first; look at the source id and the names of the objects",
    long_zh: "更新只改已有的映射。来源 id 要与方案的键一致,前导零也算。什么也没有写。",
    long_en: "An update changes a mapping that is there. The source id is the key of the scheme, leading zeros included. Nothing was written.",
    example: "POST .../mapping/update  {sourceDataId: unknown}",
};

/// A policy that no scheme is.
pub const NO_POLICY: Entry = Entry {
    code: "E6132",
    severity: Severity::Error,
    zh: "没有策略 `{name}`",
    en: "there is no policy `{name}`",
    help_zh: "策略就是方案:写方案的 id 或 uuid;已有:{all}",
    help_en: "a policy is a scheme: give its id or uuid; there are {all}",
    long_zh: "ployDetailId 是一个方案的 id 或 uuid。只存储、不写目标的方案没有数据映射。",
    long_en: "ployDetailId is the id or uuid of a scheme. A scheme that only stores rows has no data mapping.",
    example: "{ployDetailId: no-such-scheme}",
};

/// Objects that are not those of the policy.
pub const OTHER_OBJECTS: Entry = Entry {
    code: "E6133",
    severity: Severity::Error,
    zh: "策略 {policy} 的对象是 {own},不是 {given}",
    en: "the objects of the policy {policy} are {own}, not {given}",
    help_zh: "改用这对对象名,或换策略;engine map list 会列出",
    help_en: "use these names, or another policy; engine map list shows them",
    long_zh: "来源与目标对象的名称取自方案的选项,如 FormId、objAPIName;没有这样选项的接口用操作名。目标对象随数据而变的方案不能由人设置映射。",
    long_en: "The names of the objects come from the options of the scheme, such as FormId or objAPIName; where an interface has no such option, the operation is the object. A scheme whose object hangs on the row cannot be mapped by hand.",
    example: "{ployDetailId: huke-to-k3, destObjectApiName: Other}",
};

/// A pair of objects that several policies have.
pub const AMBIGUOUS: Entry = Entry {
    code: "E6134",
    severity: Severity::Error,
    zh: "有几个策略是 {source} 到 {dest}:{all}",
    en: "several policies go from {source} to {dest}: {all}",
    help_zh: "写明 ployDetailId",
    help_en: "say which by ployDetailId",
    long_zh: "没有写 ployDetailId,而这对对象属于几个方案,不知道是哪一个。什么也没有写。",
    long_en: "Without ployDetailId it is not known which of these schemes is meant. Nothing was written.",
    example: "POST .../mapping/update  without ployDetailId",
};

/// More than one call may carry.
pub const TOO_MANY: Entry = Entry {
    code: "E6135",
    severity: Severity::Error,
    zh: "一次最多 {most} 项,给了 {given}",
    en: "at most {most} at a time, and {given} were given",
    help_zh: "分几次做",
    help_en: "do it in parts",
    long_zh: "一次调用有上限,免得一个请求占住账本。什么也没有做。",
    long_en: "One call is bounded, so that no request holds the ledger. Nothing was done.",
    example: "POST .../mapping/query  with 501 ids",
};

/// A field that is missing or has not its form.
pub const FIELD: Entry = Entry {
    code: "E6136",
    severity: Severity::Error,
    zh: "`{name}` 有误:{why}",
    en: "`{name}` is wrong: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "调用缺少必填的字段,或者字段的类型、长度不对。id 写成文本或数字;名称与备注最长 1000 字。什么也没有写。",
    long_en: "A field that is needed is missing, or is of the wrong type or length. Ids are texts or numbers; names and remarks have at most 1000 characters. Nothing was written.",
    example: "POST .../mapping/create  without destDataId",
};

/// A document that another source record has.
pub const DOCUMENT_TAKEN: Entry = Entry {
    code: "E6137",
    severity: Severity::Error,
    zh: "目标 {id} 已是来源 {holder} 的",
    en: "the document {id} is that of the source {holder} already",
    help_zh: "先改那一条;确要两个来源写同一张单据,用 engine map set --allow-double",
    help_en: "change that one first; where two sources are to write one document, engine map set --allow-double",
    long_zh: "同一策略、同一对对象下,两个来源 id 指向同一个目标 id 称为重复:两边会轮流覆盖同一张单据,反向也无法查到唯一的来源。engine map list --doubles 列出已有的重复。",
    long_en: "Two source ids with one document in a policy and pair of objects are a double: they would overwrite it in turn, and nobody could tell the source from the document. engine map list --doubles lists those there are.",
    example: "engine map set a 1   # 1 is that of b",
};

/// A record of which a send is under way or in doubt.
pub const BUSY: Entry = Entry {
    code: "E6138",
    severity: Severity::Error,
    zh: "来源 {source} 的数据正在写入,或上次写入结果未定({state})",
    en: "the record of {source} is being written, or the end of its last write is not known ({state})",
    help_zh: "等它有结果;结果未定的用 engine rows resolve 说明",
    help_en: "wait for its end; engine rows resolve says what became of a lost one",
    long_zh: "发送中或结果未定时改映射,可能使同一条数据有两张单据,所以被拒绝。引擎会先问清目标;也可由人用 resolve 说明。什么也没有写。",
    long_en: "Changing the mapping while a write is under way or in doubt could give one record two documents, so it is refused. The engine asks the target first; a person may say it with resolve. Nothing was written.",
    example: "engine map set a 1   # a is unknown",
};

/// A mapping that is not as it was seen.
pub const CHANGED: Entry = Entry {
    code: "E6139",
    severity: Severity::Error,
    zh: "来源 {source} 的映射已被改动,现在是 {now}",
    en: "the mapping of {source} has been changed; it is {now} now",
    help_zh: "重新读取后再改",
    help_en: "read it again, then change it",
    long_zh: "给出的“原来的目标 id”与现在不同:读取之后有人改过。什么也没有写。",
    long_en: "The id that was seen is not the one there now: somebody changed it meanwhile. Nothing was written.",
    example: "PATCH /api/v1/mappings/data  {expected: 1}   # it is 2",
};

/// A mapping on which a written record hangs.
pub const WRITTEN: Entry = Entry {
    code: "E6140",
    severity: Severity::Error,
    zh: "来源 {source} 已写入过,删掉映射会使它再新建一张单据",
    en: "{source} has been written: without its mapping it would be created once more",
    help_zh: "改成别的目标 id,或用 engine rows resolve --not-there 说明单据已不在",
    help_en: "give it another id, or say by engine rows resolve --not-there that the document is gone",
    long_zh: "映射是“这条数据已有单据”的证据。写入过的数据不能删映射;单据确实不在了,要由人带原因地说明。",
    long_en: "The mapping is what says that the record has a document. That of a written record cannot be taken away; that the document is gone is said by a person, with a reason.",
    example: "engine map rm a",
};

/// A record whose document is at another target.
pub const ELSEWHERE: Entry = Entry {
    code: "E6141",
    severity: Severity::Error,
    zh: "来源 {source} 的单据在 {target} 的 {form},不是这个策略现在的目标",
    en: "the document of {source} is a {form} at {target}, which is not where the policy writes now",
    help_zh: "",
    help_en: "",
    long_zh: "方案的目标连接或单据种类改过,这条数据的单据仍在原处。先处理原来的数据,再设置映射。",
    long_en: "The target or the kind of document of the scheme was changed, and this record's document is still where it was. Settle the record first, then set the mapping.",
    example: "engine map set a 1",
};

/// A channel that there is not.
pub const NO_CHANNEL: Entry = Entry {
    code: "E6142",
    severity: Severity::Error,
    zh: "没有渠道 `{name}`",
    en: "there is no channel `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "字段映射的渠道只有平台规定的几个。什么也没有写。",
    long_en: "The channels of field mappings are those of the platform. Nothing was written.",
    example: "{channel: ERP}",
};

/// A value that is called otherwise already.
pub const FIELD_TAKEN: Entry = Entry {
    code: "E6143",
    severity: Severity::Error,
    zh: "`{fs_id}` 与 `{erp_id}` 不能对应:{other} 已占用",
    en: "`{fs_id}` and `{erp_id}` cannot be the same value: {other} is there",
    help_zh: "先删或改那一条:engine map fields rm、set",
    help_en: "remove or change that one first: engine map fields rm, set",
    long_zh: "同一数据中心、渠道、类型里,两边的 id 各只出现一次。同样的一条再来一次算成功。什么也没有写。",
    long_en: "In a data centre, channel and kind each id of either side is there once. The same entry again succeeds. Nothing was written.",
    example: "createErpfieldmapping  {fsDataId: 1, erpDataId: 9}   # 1 has 8",
};

/// A table of field mappings with entries in several places.
pub const FIELD_PLACES: Entry = Entry {
    code: "E6144",
    severity: Severity::Error,
    zh: "对照表 {name}:类型 {type} 在几处都有条目:{places}",
    en: "the table {name}: several places have entries of the type {type}: {places}",
    help_zh: "在 maps 里写明 channel 或 data_center",
    help_en: "say channel or data_center in maps",
    long_zh: "同一个 id 在不同渠道、数据中心可能是不同的值,所以不猜。运行没有开始。",
    long_en: "The same id may be another value in another channel or data centre, so this is not guessed. The run did not begin.",
    example: "maps: {staff: {field_mapping: employee}}   # OA and ERP_U8 have employees",
};

/// A field mapping that is not there.
pub const NO_FIELD: Entry = Entry {
    code: "E6145",
    severity: Severity::Error,
    zh: "没有 `{fs_id}` 的字段映射",
    en: "there is no field mapping of `{fs_id}`",
    help_zh: "engine map fields list 列出已有的",
    help_en: "engine map fields list shows those there are",
    long_zh: "要改或删的条目不存在:数据中心、渠道、类型与 id 都要一致。",
    long_en: "The entry that was to be changed or removed is not there: data centre, channel, kind and id have to be the same.",
    example: "engine map fields rm --type employee --channel OA 7",
};

/// As many entries as there may be.
pub const FULL: Entry = Entry {
    code: "E6146",
    severity: Severity::Error,
    zh: "字段映射已有 {most} 条,不再增加",
    en: "there are {most} field mappings, and no more are taken",
    help_zh: "删掉不用的",
    help_en: "remove those that are not used",
    long_zh: "字段映射有总数上限,免得账本无限增大。",
    long_en: "The number of field mappings is bounded, so that the ledger does not grow without end.",
    example: "createErpfieldmapping",
};

/// A line of a file that cannot be taken.
pub const LINE: Entry = Entry {
    code: "E6147",
    severity: Severity::Error,
    zh: "第 {line} 行:{why}",
    en: "line {line}: {why_en}",
    help_zh: "改正后重新导入;没有导入任何一行",
    help_en: "mend it and import again; no line was taken",
    long_zh: "导入先看完整个文件;有一行不对就一行也不导入。CSV 用 UTF-8,第一行是列名。",
    long_en: "An import looks at the whole file first, and takes no line when one is wrong. The CSV is UTF-8, and its first line names the columns.",
    example: "engine map import mappings.csv",
};

/// A source id that is no key of the scheme.
pub const KEY: Entry = Entry {
    code: "E6148",
    severity: Severity::Error,
    zh: "`{given}` 不是方案 {policy} 的来源 id:它的键有 {count} 个字段",
    en: "`{given}` is no source id of {policy}: its key has {count} fields",
    help_zh: "几个字段写成 JSON 列表,如 [\"A\",\"1\"],或用逗号分开",
    help_en: "write several fields as a JSON list, such as [\"A\",\"1\"], or separated by commas",
    long_zh: "来源 id 就是方案 source.key 的各个字段的文本。没有键的方案不能由人设置映射。",
    long_en: "A source id is the texts of the fields of source.key. A scheme without a key cannot be mapped by hand.",
    example: "engine map set --scheme orders 7   # its key is [shop, number]",
};

/// A kind of values that there is not.
pub const NO_TYPE: Entry = Entry {
    code: "E6149",
    severity: Severity::Error,
    zh: "字段映射没有 dataType `{name}`",
    en: "there is no dataType `{name}`",
    help_zh: "可用:{all};选项字段的取值写成 对象.字段{near_zh}",
    help_en: "there are {all}; options of a field are written as OBJECT.FIELD{near_en}",
    long_zh: "字段映射的类型写错一个字母,哪张对照表都查不到它,所以只接受这几个类型,以及 AccountObj.industry 这样的选项字段。什么也没有写;已经存下的别的类型仍可删除。",
    long_en: "With one letter wrong in its type no table would find a field mapping, so only these are taken, and options of a field such as AccountObj.industry. Nothing was written; what was stored under another type before can be removed.",
    example: "{channel: OA, dataType: emploee}",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &TAKEN,
    &MISSING,
    &NO_POLICY,
    &OTHER_OBJECTS,
    &AMBIGUOUS,
    &TOO_MANY,
    &FIELD,
    &DOCUMENT_TAKEN,
    &BUSY,
    &CHANGED,
    &WRITTEN,
    &ELSEWHERE,
    &NO_CHANNEL,
    &FIELD_TAKEN,
    &FIELD_PLACES,
    &NO_FIELD,
    &FULL,
    &LINE,
    &KEY,
    &NO_TYPE,
];
