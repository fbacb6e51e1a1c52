//! E6101-E6119: the ERP protocol, where we are the one who is called.

use super::Entry;
use crate::diagnostic::Severity;

/// Tenant or token are not believed.
pub const UNBELIEVED: Entry = Entry {
    code: "E6101",
    severity: Severity::Error,
    zh: "企业 id 或令牌没有通过验证",
    en: "the tenant or the token is not believed",
    help_zh: "核对请求头 tenantId、token 与 connections.yaml 中该连接的 tenant_id、push_token(轮询与推给我们时是 erp_token)",
    help_en: "compare the headers tenantId and token with tenant_id and push_token (erp_token where we are the ERP) of the connection in connections.yaml",
    long_zh: "企业不存在、令牌不对、连接没有配置令牌,得到的都是这个答复,所用的时间也一样:不说明是哪一种,以免被逐个试出。",
    long_en: "An unknown tenant, a wrong token and a connection without a token are answered alike and after the same work: it is not said which, so that nothing can be found out by trying.",
    example: "POST /erp/syncdata/open/objdata/asyncpush   # token: wrong",
};

/// A header is missing or cannot be read.
pub const NO_HEADER: Entry = Entry {
    code: "E6102",
    severity: Severity::Error,
    zh: "缺少请求头 `{name}`",
    en: "the header `{name}` is missing",
    help_zh: "{needs_zh}",
    help_en: "{needs_en}",
    long_zh: "缺少的请求头不会被猜测:猜错企业或对象,数据就进了别的方案。空白的请求头等于没有。",
    long_en: "A header that is missing is not guessed: with the wrong tenant or object the data would go into another scheme. An empty one counts as missing.",
    example: "POST /erp/syncdata/open/objdata/asyncpush   # without objectApiName",
};

/// The data centre cannot be told.
pub const NO_DATA_CENTER: Entry = Entry {
    code: "E6103",
    severity: Severity::Error,
    zh: "这个企业配置了多个数据中心,需要请求头 dataCenterId",
    en: "several data centres of this tenant are configured: the header dataCenterId is needed",
    help_zh: "已配置的数据中心:{known}",
    help_en: "the data centres are: {known}",
    long_zh: "connections.yaml 中同一个 tenant_id 有多个不同的 data_center 时,只有请求头 dataCenterId 能说明数据属于哪一个。只有一个时可以省略。",
    long_en: "Where connections.yaml has several connections with one tenant_id and different data_center, only the header dataCenterId tells whose the data is. With one it may be left out.",
    example: "POST /erp/syncdata/open/objdata/asyncpush   # two data centres, no dataCenterId",
};

/// There is no such data centre.
pub const OTHER_DATA_CENTER: Entry = Entry {
    code: "E6104",
    severity: Severity::Error,
    zh: "没有数据中心 `{given}`",
    en: "there is no data centre `{given}`",
    help_zh: "已配置的数据中心:{known}{near_zh}",
    help_en: "the data centres are: {known}{near_en}",
    long_zh: "请求头 dataCenterId 必须与该企业的某个连接的 data_center 相同;给错了不会按别的数据中心处理。字段映射也一样:fieldmapping/create 的正文、engine map fields 与 /api/v1/mappings/fields 里的数据中心,必须是 connections.yaml 中某个连接的 data_center;一个都没有配置时不检查。",
    long_en: "The header dataCenterId must be the data_center of a connection of this tenant; another one is not taken for it. So it is with field mappings: the data centre in the body of fieldmapping/create, in engine map fields and in /api/v1/mappings/fields must be the data_center of a connection in connections.yaml; where none has one, nothing is compared.",
    example: "dataCenterId: 63f82854a8bd974420925e84",
};

/// Another version of the protocol.
pub const VERSION: Entry = Entry {
    code: "E6105",
    severity: Severity::Error,
    zh: "不支持协议版本 `{given}`",
    en: "the version `{given}` of the protocol is not known",
    help_zh: "请求头 version 只能是 v1",
    help_en: "the header version is v1",
    long_zh: "只有 v1 有公开的说明;别的版本的正文可能有别的含义,所以不接收。",
    long_en: "Only v1 is documented. A body of another version may mean something else, and is not taken.",
    example: "version: v2",
};

/// An operation that is not known.
pub const OPERATION_TYPE: Entry = Entry {
    code: "E6106",
    severity: Severity::Error,
    zh: "不认识操作类型 `{given}`",
    en: "the operation type `{given}` is not known",
    help_zh: "请求头 operationType:1 新建、2 更新、3 作废;省略则不是作废",
    help_en: "the header operationType is 1 (create), 2 (update) or 3 (void); left out, it is no void",
    long_zh: "不认识的操作不能当成新建或更新处理:它可能正好是相反的意思。",
    long_en: "An operation that is not known is not taken for a create or an update: it may mean the opposite.",
    example: "operationType: 9",
};

/// Nobody takes this object.
pub const NO_OBJECT: Entry = Entry {
    code: "E6107",
    severity: Severity::Error,
    zh: "没有接收对象 `{object}` 的方案",
    en: "no scheme takes the object `{object}`",
    help_zh: "接收的对象:{known}",
    help_en: "the objects are: {known}",
    long_zh: "推送由 source 是 asyncpush、且 objectApiName 相同的方案接收;由我们充当 ERP 的对象写在 objects/ 下的文件的 serve 里。没有人接收的数据不会被确认。",
    long_en: "A push is taken by the schemes whose source is asyncpush with the same objectApiName; objects for which we are the ERP say so under `serve` in their file in objects/. Data that nobody takes is not acknowledged.",
    example: "objectApiName: erpSalesOrderObjj",
};

/// The body cannot be read.
pub const BODY: Entry = Entry {
    code: "E6108",
    severity: Severity::Error,
    zh: "正文无法读取:{why_zh}",
    en: "the body cannot be read: {why_en}",
    help_zh: "{takes_zh};不是 UTF-8 时在 Content-Type 里写 charset,例如 charset=gbk",
    help_en: "{takes_en}; where it is not UTF-8, Content-Type has to say the charset, as charset=gbk",
    long_zh: "读不出来的正文不会被部分接收,也不会用替代字符补上:补上的字符会成为单据里的错字。XML 的 DOCTYPE 一律拒绝,因为其中的实体可以无限膨胀或读取文件。",
    long_en: "A body that cannot be read is not taken in part, nor filled up with replacement characters, which would end up in documents. A DOCTYPE in XML is always refused: its entities can grow without end or read files.",
    example: "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
};

/// The body has an id and not the standard form.
pub const STANDARD: Entry = Entry {
    code: "E6109",
    severity: Severity::Error,
    zh: "正文不是标准格式:{why_zh}",
    en: "the body has not the standard form: {why_en}",
    help_zh: "标准格式:{\"objAPIName\": 对象, \"masterFieldVal\": {…}, \"detailFieldVals\": {\"从对象\": [{…}]}}{else_zh}",
    help_en: "the standard form is {\"objAPIName\": OBJECT, \"masterFieldVal\": {…}, \"detailFieldVals\": {\"DETAIL\": [{…}]}}{else_en}",
    long_zh: "asyncpush 的请求头 id 表示正文是标准格式,create 与 update 总是标准格式,于是严格读取:多余的键、名称不一致、从对象不是列表,都会被拒绝;正文读不成 JSON 时,说明第几行第几列。作废(operationType: 3)必须说明是哪一张单据:声明了的对象可以只凭请求头 id;没有声明的对象,请求头 id 只用来认出重发,单据由方案的主键在正文里指明。",
    long_en: "The header id of asyncpush says that the body has the standard form, that of create and update always has it; so it is read strictly: another key, another object than the header names, or details that are no list are refused, and where the body is no JSON its line and column are told. A cancellation (operationType: 3) must say of which document it is: for a declared object the header id is enough; for one that is not declared the header id only tells a repetition, and the scheme's key in the body names the document.",
    example: "id: 111   with the body {\"number\": \"04270002\"}",
};

/// The body does not fit the declared object.
pub const FIELDS: Entry = Entry {
    code: "E6110",
    severity: Severity::Error,
    zh: "数据与对象 `{object}` 的声明不符:{why_zh}",
    en: "the data does not fit the object `{object}`: {why_en}",
    help_zh: "字段、类型与必填见 engine object show {object}",
    help_en: "engine object show {object} lists fields, types and what is required",
    long_zh: "声明了的对象在每个入口都按声明检查:未知的字段、缺少的必填字段、类型不对的值都会被拒绝,什么也不写。对象文件写 open: true 时允许未声明的字段。",
    long_en: "A declared object is checked wherever it comes in: an unknown field, a required one that is missing and a value of another type are refused, and nothing is written. With `open: true` in the object's file further fields are taken.",
    example: "{\"objAPIName\": \"erpSalesOrderObj\", \"masterFieldVal\": {\"numbr\": \"1\"}}",
};

/// A parameter of a query is missing or wrong.
pub const PARAMETER: Entry = Entry {
    code: "E6111",
    severity: Severity::Error,
    zh: "参数 `{name}` 不对:{why_zh}",
    en: "the parameter `{name}` is wrong: {why_en}",
    help_zh: "queryMasterBatch 需要 objAPIName、startTime、endTime(毫秒,首尾都算在内),可选 includeDetail、offset、limit;queryMasterById 需要 objAPIName、dataId",
    help_en: "queryMasterBatch needs objAPIName, startTime and endTime (milliseconds, both ends belong to the stretch), and takes includeDetail, offset and limit; queryMasterById needs objAPIName and dataId",
    long_zh: "参数不对时不返回数据:少读了一段时间而不自知,比得到一个错误更糟。",
    long_en: "No data is given where a parameter is wrong: to read less than was meant without knowing is worse than an error.",
    example: "GET /erp/crm/queryMasterBatch?objAPIName=erpSalesOrderObj&startTime=yesterday",
};

/// An object is not served at this connection.
pub const NOT_SERVED: Entry = Entry {
    code: "E6112",
    severity: Severity::Error,
    zh: "对象 `{object}` 在这里不提供 {what}",
    en: "the object `{object}` has no {what} here",
    help_zh: "这里提供的对象:{known}",
    help_en: "the objects here are: {known}",
    long_zh: "由我们充当 ERP 的对象在其文件中写 serve:connection 是哪个连接的令牌可以调用,rows 是被读取的方案,receive 是接收写入的方案。",
    long_en: "An object for which we are the ERP says so in its file: `serve.connection` whose token may call, `serve.rows` the scheme that is read, `serve.receive` the scheme that takes what is written.",
    example: "GET /erp/crm/queryMasterBatch?objAPIName=BD_Customer",
};

/// Nothing has this id.
pub const NO_DATA: Entry = Entry {
    code: "E6113",
    severity: Severity::Error,
    zh: "对象 `{object}` 没有 id 为 `{id}` 的数据",
    en: "the object `{object}` has nothing with the id `{id}`",
    help_zh: "id 是对象文件中 id 所指字段的值;没有新建过(create)的数据,既查不到,也不能更新",
    help_en: "the id is the value of the field that `id` of the object's file names; what was never created is neither found nor updated",
    long_zh: "答复过成功的数据立即可以查到,不必等方案收取。更新一条从未新建过的数据会被拒绝:若当成新建,同一张单据就可能被建立两次。",
    long_en: "What was acknowledged is found at once, before its scheme takes it. An update of something that was never created is refused: taken for a create, it could make one document twice.",
    example: "POST /erp/crm/update   # before /erp/crm/create",
};

/// Something has this id already.
pub const THERE_IS_ONE: Entry = Entry {
    code: "E6114",
    severity: Severity::Error,
    zh: "对象 `{object}` 已有 id 为 `{id}` 的数据,且与这次新建的内容不同",
    en: "the object `{object}` has something with the id `{id}` already, and it is not what was created here",
    help_zh: "要改它,用 update;若是另一张单据,换一个编号",
    help_en: "to change it, call update; another document needs another number",
    long_zh: "新建若覆盖已有数据,两张单据就会变成一张。同样的新建请求再来一次不算:它得到与第一次相同的回答,且不改变任何数据。",
    long_en: "A create that replaced what is there would make one document of two. The same create again is another matter: it is answered as the first one was, and changes nothing.",
    example: "POST /erp/crm/create   # an order with the number of another one",
};

/// What is declared of an object here cannot be used.
pub const UNUSABLE: Entry = Entry {
    code: "E6115",
    severity: Severity::Error,
    zh: "对象 `{object}` 现在不可用:{why_zh}",
    en: "the object `{object}` cannot be used now: {why_en}",
    help_zh: "问题在接收方的对象文件,不在请求;改正后再发",
    help_en: "the fault is in the object's file at the receiving side, not in the request; send it again once that is mended",
    long_zh: "对象文件读不出,或其 serve 指向不存在、不合适的方案或连接时,不能检查也不能正确存放数据,因此以 HTTP 503 拒绝,什么也不写入。engine check 给出位置。",
    long_en: "Where the object's file cannot be read, or its `serve` names a scheme or connection that is not there or does not fit, data can neither be checked nor stored as it should be; so it is refused with HTTP 503 and nothing is written. engine check says where.",
    example: "POST /erp/crm/create   # objects/order.yaml: serve: {connection: crm, receive: ordrs}",
};

/// The header `id` of a push is not the id of the document that it carries.
pub const OTHER_ID: Entry = Entry {
    code: "E6118",
    severity: Severity::Error,
    zh: "推送的请求头与正文说的不是同一张单据:{why_zh}",
    en: "header and body of the push are about different documents: {why_en}",
    help_zh: "请求头 id 写对象 `{object}` 的 id 字段的值;对方的 id 若是它自己的编号,在对象文件里写 push_id: any",
    help_en: "send the id of the document of `{object}` in the header; where the sender's id is a number of its own, the object's file says push_id: any",
    long_zh: "声明了的对象,请求头 id 与正文里 id 字段的值按文本相同才接收:新建、更新、作废都一样。否则作废一张单据的推送可能作废另一张。对象文件写 push_id: any 时不比较:请求头 id 只用来认出重发,作废时正文必须带 id 字段。",
    long_en: "For a declared object the header id and the field `id` of the body must be the same text, to create, to update and to cancel: else a push that cancels one document could cancel another. With push_id: any in the object's file they are not compared: the header id only tells a repetition, and a cancellation must carry the field.",
    example: "id: N-77   with the body {\"masterFieldVal\": {\"number\": \"N-3\"}}",
};

/// A header that says two things.
pub const TWICE: Entry = Entry {
    code: "E6119",
    severity: Severity::Error,
    zh: "请求头 `{name}` 出现了多次,值不同",
    en: "the header `{name}` was sent more than once, with different values",
    help_zh: "只发送一次;检查中间的代理是否又加了一个",
    help_en: "send it once; see whether a proxy in between adds another",
    long_zh: "token、tenantId、dataCenterId、objectApiName、version、operationType、id 每个只能说一件事。同一个请求头出现两次而值不同时,无论取哪一个都可能是另一张单据、另一个操作,所以拒绝。值相同的重复不影响。什么也没有写。",
    long_en: "Each of token, tenantId, dataCenterId, objectApiName, version, operationType and id says one thing. Where one comes twice with different values, whichever was taken might mean another document or another operation, so the request is refused. Twice the same does no harm. Nothing was written.",
    example: "operationType: 3 and operationType: 1",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &UNBELIEVED,
    &NO_HEADER,
    &NO_DATA_CENTER,
    &OTHER_DATA_CENTER,
    &VERSION,
    &OPERATION_TYPE,
    &NO_OBJECT,
    &BODY,
    &STANDARD,
    &FIELDS,
    &PARAMETER,
    &NOT_SERVED,
    &NO_DATA,
    &THERE_IS_ONE,
    &UNUSABLE,
    &OTHER_ID,
    &TWICE,
];
