//! The keys of an object file.

use dsl::Lang;
use dsl::object::keys::OBJECT;

use crate::markdown::head;
use crate::scheme::blocks_of;

pub(crate) fn page(lang: Lang) -> String {
    let page = head(
        lang,
        "object",
        ("对象文件的键", "Keys of an object file"),
        (
            "`objects/` 里的文件声明其他系统的单据有哪些字段:主对象与从对象。与 `engine check` 和 `engine schema object` 出自同一张表。别的键是错误。\
             声明了的对象在每个入口都被检查,`engine object show` 打印它的接口。",
            "Files in `objects/` declare what documents of other systems have: a master and details. From the table that `engine check` and `engine schema object` read too; any other key is an error. \
             A declared object is checked wherever it comes in, and `engine object show` prints its interface.",
        ),
    );
    page + &blocks_of(&OBJECT, "", lang)
}
