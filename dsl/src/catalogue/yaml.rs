//! E1000-E1049: a file that cannot be read as YAML, or that YAML would read as something else than was meant.

use super::Entry;
use crate::diagnostic::Severity;

/// Anything the parser refuses that has no wording of its own.
pub const SYNTAX: Entry = Entry {
    code: "E1000",
    severity: Severity::Error,
    zh: "这里不是合法的 YAML({parser})",
    en: "this is not YAML ({parser})",
    help_zh: "检查这一行的缩进、引号和冒号",
    help_en: "look at the indentation, quotes and colons of this line",
    long_zh: "YAML 解析器在这里停下了。括号里是解析器的原话。YAML \
              语法错误总是单独报告:改好它,其余问题才能被检查出来。",
    long_en: "The YAML parser stopped here; its own words stand in parentheses. A syntax error is \
              reported alone: the rest of the file can only be checked once it is corrected.",
    example: "a: !x!y z",
};

/// The file is too large.
pub const TOO_LARGE: Entry = Entry {
    code: "E1001",
    severity: Severity::Error,
    zh: "文件有 {size} 字节,上限是 {max}",
    en: "the file has {size} bytes; the limit is {max}",
    help_zh: "把它拆成几个方案",
    help_en: "split it into several schemes",
    long_zh: "方案、连接器和连接文件最多 1 MiB。再大的文件几乎总是误把数据当成了配置。",
    long_en: "Scheme, connector and connection files have at most 1 MiB. A larger one is nearly always \
              data taken for configuration.",
    example: "a file of 1,048,577 bytes",
};

/// The bytes are not UTF-8.
pub const NOT_UTF8: Entry = Entry {
    code: "E1002",
    severity: Severity::Error,
    zh: "文件不是 UTF-8 编码,第一个不能识别的字节在这里",
    en: "the file is not UTF-8; the first byte that cannot be read is here",
    help_zh: "用编辑器另存为 UTF-8(不是 GBK、ANSI 或 UTF-16)",
    help_en: "save it as UTF-8 in your editor, not as GBK, ANSI or UTF-16",
    long_zh: "所有文件都按 UTF-8 读取。Windows 上的旧编辑器默认存为 GBK 或 UTF-16,中文会因此无法识别。",
    long_en: "All files are read as UTF-8. Old editors on Windows save GBK or UTF-16 by default, and \
              Chinese text then cannot be read.",
    example: "scheme: \\xB7\\xBD\\xB0\\xB8    # GBK",
};

/// A character that must not stand in a file.
pub const CONTROL: Entry = Entry {
    code: "E1003",
    severity: Severity::Error,
    zh: "文件里有不允许的字符 {char}",
    en: "the character {char} is not allowed in a file",
    help_zh: "删掉它;确实需要时在双引号里写成转义",
    help_en: "delete it; where it is needed, write its escape inside double quotes",
    long_zh: "除换行和制表符外,控制字符、单独的回车以及文件中间的 BOM \
              都不允许出现。它们看不见,通常来自复制粘贴。",
    long_en: "Apart from line breaks and tabs no control character may stand in a file, nor a carriage \
              return on its own, nor a byte order mark in the middle. They cannot be seen and usually \
              come with pasted text.",
    example: "name: a\\x07b",
};

/// A tab where YAML wants blanks.
pub const TAB: Entry = Entry {
    code: "E1004",
    severity: Severity::Error,
    zh: "这里用了制表符,YAML 只允许用空格",
    en: "a tab stands here; YAML only allows blanks",
    help_zh: "换成空格;可以让编辑器把制表符显示出来",
    help_en: "replace it by blanks; most editors can show tabs",
    long_zh: "缩进以及冒号、横线之后的空白只能是空格。制表符的宽度因编辑器而异,YAML 因此不接受它。",
    long_en: "Indentation, and what follows a colon or a dash, can only be blanks. A tab is as wide as \
              each editor likes, so YAML does not accept it.",
    example: "a:\n\tb: 1",
};

/// A line whose indentation fits nothing above it.
pub const INDENT: Entry = Entry {
    code: "E1005",
    severity: Severity::Error,
    zh: "这一行的缩进与上面的内容对不上",
    en: "the indentation of this line fits nothing above it",
    help_zh: "同一级的键要左对齐,下一级多缩进两个空格;已经有值的键下面不能再写下级",
    help_en: "keys of one level begin in the same column, the next level two blanks further; a key that \
              already has a value cannot have keys below it",
    long_zh: "YAML 用缩进表示层级。这一行要么比同级的键缩进得多或少,要么写在一个已经有值的键下面。",
    long_en: "YAML shows levels by indentation. This line is indented more or less than the keys beside \
              it, or it stands below a key that already has a value.",
    example: "a: 1\n  b: 2",
};

/// A line that is no `key: value`.
pub const NO_COLON: Entry = Entry {
    code: "E1006",
    severity: Severity::Error,
    zh: "这一行不是 “键: 值” 的形式",
    en: "this line is not of the form `key: value`",
    help_zh: "冒号要用半角,后面要有一个空格;值写成多行时用 | 或引号",
    help_en: "write a colon and a blank after the key; a value of several lines needs | or quotes",
    long_zh: "在这个位置应当是一个键,后面跟半角冒号和空格。忘写冒号、冒号后没有空格、或者上一行的值意外换行,都会这样。",
    long_en: "A key with a colon and a blank should stand here. A forgotten colon, no blank behind it, or \
              a value that runs over into the next line leads here.",
    example: "a: 1\nb 2",
};

/// A full-width colon.
pub const FULL_WIDTH: Entry = Entry {
    code: "E1007",
    severity: Severity::Error,
    zh: "这里的冒号是全角的 “：”",
    en: "this colon is the full-width “：”",
    help_zh: "改成半角冒号加一个空格:`: `",
    help_en: "write an ordinary colon and a blank: `: `",
    long_zh: "中文输入法下打出的冒号是全角字符,YAML 不把它当作键与值的分隔。",
    long_en: "A Chinese input method types a full-width colon, which does not separate a key from its \
              value.",
    example: "a: 1\nb：2",
};

/// A quote that never closes.
pub const UNCLOSED_QUOTE: Entry = Entry {
    code: "E1008",
    severity: Severity::Error,
    zh: "这里开始的引号没有结束",
    en: "the quote that begins here never ends",
    help_zh: "补上结束的引号;单引号文本里的单引号要写两个 '';多行文本的后续行要缩进",
    help_en: "add the closing quote; inside '…' a single quote is written twice: ''; further lines of a \
              text must be indented",
    long_zh: "引号中的文本一直读到文件末尾也没有遇到结束的引号。",
    long_en: "The text in quotes ran to the end of the file without meeting the closing quote.",
    example: "a: 'x",
};

/// A bracket that never closes.
pub const UNCLOSED_BRACKET: Entry = Entry {
    code: "E1009",
    severity: Severity::Error,
    zh: "这里的 {open} 没有对应的 {close}",
    en: "this {open} has no {close}",
    help_zh: "补上 {close};值里本来就有括号时给整个值加引号",
    help_en: "add the {close}; if the bracket belongs to the value, quote the value",
    long_zh: "花括号与方括号在 YAML 里表示写在一行的对象与列表,必须成对。",
    long_en: "Braces and brackets are maps and lists written on one line; they come in pairs.",
    example: "a: [1, 2",
};

/// A bracket that closes nothing.
pub const STRAY_BRACKET: Entry = Entry {
    code: "E1010",
    severity: Severity::Error,
    zh: "这里的 {close} 与前面的括号不配对",
    en: "this {close} does not match the brackets before it",
    help_zh: "检查前面的 { 与 [;值里本来就有括号时给整个值加引号",
    help_en: "look at the { and [ before it; if the bracket belongs to the value, quote the value",
    long_zh: "花括号与方括号在 YAML 里表示写在一行的对象与列表,必须成对并且正确嵌套。",
    long_en: "Braces and brackets are maps and lists written on one line; they come in pairs and nest.",
    example: "a: 1\nb: ]",
};

/// Text after a closing bracket.
pub const AFTER_BRACKET: Entry = Entry {
    code: "E1011",
    severity: Severity::Error,
    zh: "括号结束之后还有多余的内容",
    en: "there is more text after the closing bracket",
    help_zh: "以 { 或 [ 开头的文本要整个加引号",
    help_en: "quote the whole value if it is text that begins with { or [",
    long_zh: "以花括号或方括号开头的值是对象或列表,括号结束之后这一行不能再有别的内容。",
    long_en: "A value that begins with a brace or a bracket is a map or a list; nothing may follow its \
              end on the line.",
    example: "a: [1, 2] b",
};

/// Text after a closing quote.
pub const AFTER_QUOTE: Entry = Entry {
    code: "E1012",
    severity: Severity::Error,
    zh: "引号结束之后还有多余的内容",
    en: "there is more text after the closing quote",
    help_zh: "把整个值放进一对引号;单引号文本里的单引号写两个 ''",
    help_en: "put the whole value into one pair of quotes; inside '…' a single quote is written twice: ''",
    long_zh: "以引号开头的值在引号结束处就结束了,后面只能是注释或换行。",
    long_en: "A value that begins with a quote ends where the quote ends; only a comment or a line break \
              may follow.",
    example: "a: 'x' y",
};

/// Colon and blank inside an unquoted value.
pub const COLON: Entry = Entry {
    code: "E1013",
    severity: Severity::Error,
    zh: "值里有冒号加空格,YAML 把它当成了新的键",
    en: "the value holds a colon and a blank, which YAML takes for another key",
    help_zh: "给整个值加引号",
    help_en: "quote the whole value",
    long_zh: "没有引号的值里不能出现冒号加空格,因为那是键与值的分隔。",
    long_en: "An unquoted value cannot hold a colon followed by a blank: that is what separates a key \
              from its value.",
    example: "a: b: c",
};

/// A value that begins with a character YAML keeps for itself.
pub const FIRST_CHARACTER: Entry = Entry {
    code: "E1014",
    severity: Severity::Error,
    zh: "没有引号的值不能以 {char} 开头",
    en: "a value without quotes cannot begin with {char}",
    help_zh: "给整个值加引号",
    help_en: "quote the whole value",
    long_zh: "YAML 保留了一些开头字符(@ ` % | > 等)。值确实以它们开头时,用引号括起来。",
    long_en: "YAML keeps some first characters for itself (@ ` % | > and others). Quote a value that \
              really begins with one.",
    example: "a: @x",
};

/// An escape that double quotes do not have.
pub const ESCAPE: Entry = Entry {
    code: "E1015",
    severity: Severity::Error,
    zh: "双引号里没有 {escape} 这样的转义",
    en: "double quotes have no escape {escape}",
    help_zh: "反斜杠写成 \\\\,或改用单引号",
    help_en: "write the backslash twice, or use single quotes",
    long_zh: "双引号文本里的反斜杠表示转义。Windows \
              路径和正则表达式用单引号更方便,单引号里反斜杠就是它自己。",
    long_en: "Inside double quotes a backslash begins an escape. Paths and regular expressions are easier \
              in single quotes, where it stands for itself.",
    example: "a: \"C:\\path\"",
};

/// A list item where none can stand.
pub const LIST_PLACE: Entry = Entry {
    code: "E1016",
    severity: Severity::Error,
    zh: "这里不能开始一个列表项",
    en: "a list item cannot begin here",
    help_zh: "列表项另起一行;值确实以 “- ” 开头时加引号",
    help_en: "begin the list on a line of its own; quote a value that really begins with `- `",
    long_zh: "以 “- ” 开头的列表项必须各占一行,与它们所属的键缩进一致或更深;列表与键也不能混在同一级。",
    long_en: "Items that begin with `- ` stand on lines of their own, indented like their key or deeper; \
              items and keys cannot be mixed on one level.",
    example: "a: - b",
};

/// A comment in the middle of a value of several lines.
pub const COMMENT_INSIDE: Entry = Entry {
    code: "E1017",
    severity: Severity::Error,
    zh: "多行的值中间有注释,后面的行因此不再属于这个值",
    en: "a comment stands inside a value of several lines and cuts the rest off",
    help_zh: "去掉注释,或者用 | 写多行文本",
    help_en: "remove the comment, or write the text with |",
    long_zh: "没有引号的多行文本遇到 “空格加 #” 就结束了,后面的行不再属于它。",
    long_en: "Unquoted text of several lines ends at a blank followed by #; the lines below do not belong \
              to it any more.",
    example: "a: x # y\n  z",
};

/// More than one document.
pub const DOCUMENTS: Entry = Entry {
    code: "E1018",
    severity: Severity::Error,
    zh: "一个文件里只能有一个文档,这里开始了第二个",
    en: "a file holds one document; a second begins here",
    help_zh: "拆成多个文件,并去掉 ---",
    help_en: "make it several files, without ---",
    long_zh: "文件开头的 --- 可以写,但不能再有第二个文档。",
    long_en: "A --- at the beginning is fine, but a second document is not.",
    example: "a: 1\n---\nb: 2",
};

/// A `%` directive.
pub const DIRECTIVE: Entry = Entry {
    code: "E1019",
    severity: Severity::Error,
    zh: "不支持以 % 开头的 YAML 指令",
    en: "YAML directives, lines that begin with %, are not supported",
    help_zh: "删掉这一行",
    help_en: "delete the line",
    long_zh: "%YAML 和 %TAG 在这里没有用处,为避免误解而拒绝。",
    long_en: "%YAML and %TAG have no use here and are refused so that nobody relies on them.",
    example: "%YAML 1.2",
};

/// Nothing in the file.
pub const EMPTY_FILE: Entry = Entry {
    code: "E1020",
    severity: Severity::Error,
    zh: "文件是空的",
    en: "the file is empty",
    help_zh: "",
    help_en: "",
    long_zh: "文件里除了空白和注释没有别的内容。",
    long_en: "There is nothing in the file but blanks and comments.",
    example: "# only a comment",
};

/// A tag.
pub const TAG: Entry = Entry {
    code: "E1021",
    severity: Severity::Error,
    zh: "不支持 YAML 标签 {tag}",
    en: "YAML tags like {tag} are not supported",
    help_zh: "去掉它;以 ! 开头的文本要加引号;类型由 $type 决定",
    help_en: "remove it; quote text that begins with !; $type decides on types",
    long_zh: "!!str、!!int 这类标签会改变值的类型,而这里的类型由引号和 $type 决定。",
    long_en: "Tags such as !!str or !!int change the type of a value; here quotes and $type decide on it.",
    example: "a: !!str 1",
};

/// A merge key.
pub const MERGE_KEY: Entry = Entry {
    code: "E1022",
    severity: Severity::Error,
    zh: "不支持合并键 `<<`",
    en: "the merge key `<<` is not supported",
    help_zh: "把共用的键写出来,或用锚点引用整个值",
    help_en: "write the shared keys out, or let an alias stand for a whole value",
    long_zh: "`<<: *x` 的结果取决于读者看不到的地方,并且容易与占位符 <<x>> 混淆。",
    long_en: "What `<<: *x` gives depends on a place the reader does not see, and it looks like the \
              placeholder <<x>>.",
    example: "<<: *base",
};

/// Too many anchors or aliases.
pub const ANCHORS: Entry = Entry {
    code: "E1023",
    severity: Severity::Error,
    zh: "锚点或引用超过 {max} 个",
    en: "more than {max} anchors or aliases",
    help_zh: "",
    help_en: "",
    long_zh: "锚点(&x)与引用(*x)各最多 100 个,这样一个小文件不会展开成巨大的内容。",
    long_en: "There may be 100 anchors (&x) and 100 aliases (*x), so that a small file cannot expand into \
              a huge one.",
    example: "a0: &a0 x\na1: &a1 x\n# …\na100: &a100 x",
};

/// An alias without an anchor.
pub const UNKNOWN_ALIAS: Entry = Entry {
    code: "E1024",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的锚点:没有引号的 * 开头表示引用",
    en: "there is no anchor `{name}`: an unquoted * at the beginning is a reference",
    help_zh: "给值加引号,例如 cron: \"*/5 * * * *\"",
    help_en: "quote the value, as in cron: \"*/5 * * * *\"",
    long_zh: "没有引号时,以 * 开头的值是对锚点(&名称)的引用。cron 表达式因此总要加引号。",
    long_en: "Without quotes a value that begins with * refers to an anchor (&name). So a cron text \
              always needs quotes.",
    example: "cron: */5 * * * *",
};

/// An alias inside what it refers to.
pub const RECURSIVE: Entry = Entry {
    code: "E1025",
    severity: Severity::Error,
    zh: "引用 `{name}` 出现在它所引用的内容里",
    en: "the alias `{name}` stands inside what it refers to",
    help_zh: "",
    help_en: "",
    long_zh: "这样的引用展开后永远不会结束。",
    long_en: "Expanding such a reference would never end.",
    example: "a: &x [*x]",
};

/// Nested too deep.
pub const DEPTH: Entry = Entry {
    code: "E1026",
    severity: Severity::Error,
    zh: "嵌套超过 {max} 层",
    en: "nested more than {max} deep",
    help_zh: "",
    help_en: "",
    long_zh: "对象和列表最多嵌套 64 层,引用展开后也一样。没有系统的报文接近这个深度。",
    long_en: "Maps and lists nest at most 64 deep, also after aliases are expanded. No system's documents \
              come near.",
    example: "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
};

/// Too much after expansion.
pub const NODES: Entry = Entry {
    code: "E1027",
    severity: Severity::Error,
    zh: "展开引用之后内容过多(上限 {max} 个节点或 8 MiB 文本)",
    en: "too much in one file, aliases expanded (the limit is {max} nodes or 8 MiB of text)",
    help_zh: "把它拆成几个文件",
    help_en: "split it into several files",
    long_zh: "每个键、每个值、每个列表项算一个节点。引用可以让一个小文件展开成巨大的内容,所以展开后的节点数和文本大小都有上限。",
    long_en: "Each key, value and item is a node. Aliases can make a small file expand into a huge one, so the expanded size is bounded.",
    example: "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]",
};

/// A key written twice.
pub const DUPLICATE: Entry = Entry {
    code: "E1028",
    severity: Severity::Error,
    zh: "键 `{key}` 重复,第一次在第 {line} 行第 {column} 列",
    en: "the key `{key}` is written twice; the first is at line {line}, column {column}",
    help_zh: "删掉其中一个",
    help_en: "delete one of them",
    long_zh: "同一级的键只能出现一次,否则其中一个会被悄悄忽略。",
    long_en: "A key may stand once on a level; else one of the two would silently be ignored.",
    example: "a: 1\na: 2",
};

/// A key without a value.
pub const EMPTY_VALUE: Entry = Entry {
    code: "E1029",
    severity: Severity::Error,
    zh: "`{key}` 后面没有值",
    en: "`{key}` has no value",
    help_zh: "下级内容要比它多缩进;真要留空就写 null 或 \"\"",
    help_en: "what belongs below it must be indented further; if it is to be empty, write null or \"\"",
    long_zh: "冒号后面什么都没有时,看不出是空值、空文本,还是忘了写。请明确写出来。",
    long_en: "Nothing after the colon could mean null, empty text, or something forgotten. Write which.",
    example: "a:",
};

/// A list item without a value.
pub const EMPTY_ITEM: Entry = Entry {
    code: "E1030",
    severity: Severity::Error,
    zh: "列表项是空的",
    en: "the list item is empty",
    help_zh: "写 null 或 \"\",或者删掉这一项",
    help_en: "write null or \"\", or delete the item",
    long_zh: "横线后面什么都没有时,看不出是空值、空文本,还是忘了写。请明确写出来。",
    long_en: "Nothing after the dash could mean null, empty text, or something forgotten. Write which.",
    example: "- ",
};

/// A key without colon and value in braces.
pub const BARE_KEY: Entry = Entry {
    code: "E1031",
    severity: Severity::Error,
    zh: "花括号里的 `{key}` 只有键,没有值",
    en: "`{key}` in braces has neither colon nor value",
    help_zh: "列表用方括号;值里有逗号时给值加引号",
    help_en: "a list takes brackets; quote a value that holds a comma",
    long_zh: "花括号里是 “键: 值”,用逗号分开。只写一个词的,YAML 会当成值为空的键。",
    long_en: "Braces hold `key: value` separated by commas. A lone word would be read as a key with an \
              empty value.",
    example: "fields: {a, b}",
};

/// A key that is no text.
pub const KEY_KIND: Entry = Entry {
    code: "E1032",
    severity: Severity::Error,
    zh: "键必须是文本",
    en: "a key must be text",
    help_zh: "",
    help_en: "",
    long_zh: "对象、列表、引用或空的内容不能作键。以 { 或 [ 开头的键要加引号。",
    long_en: "Maps, lists, aliases and nothing cannot be keys. Quote a key that begins with { or [.",
    example: "{a: 1}: 2",
};

/// An unquoted `{{x}}`.
pub const PLACEHOLDER: Entry = Entry {
    code: "E1033",
    severity: Severity::Error,
    zh: "没有引号的 {braces} 会被 YAML 读成对象",
    en: "YAML reads {braces} without quotes as a map",
    help_zh: "写成 {angles},或给整个值加引号",
    help_en: "write {angles}, or quote the whole value",
    long_zh: "花括号在 YAML 里表示对象。占位符写成 <<x>> 就不需要引号;{{x}} 的意思相同,但要放在引号里。",
    long_en: "Braces are maps in YAML. The placeholder <<x>> needs no quotes anywhere; {{x}} means the \
              same but must stand inside quotes.",
    example: "FName: {{buyerNick}}",
};

/// An unquoted `${env:X}` in braces.
pub const REFERENCE: Entry = Entry {
    code: "E1034",
    severity: Severity::Error,
    zh: "写在花括号或方括号里的 {reference} 要加引号",
    en: "{reference} must be quoted inside braces or brackets",
    help_zh: "写成 \"{reference}\"",
    help_en: "write \"{reference}\"",
    long_zh: "在写成一行的对象或列表里,${env:X} 的花括号会提前结束外层的括号。",
    long_en: "In a map or list written on one line the braces of ${env:X} end the outer ones too early.",
    example: "params: {server: ${env:SERVER}}",
};

/// An expression cut at a comma in braces.
pub const FUNCTION_SPLIT: Entry = Entry {
    code: "E1035",
    severity: Severity::Error,
    zh: "花括号或方括号里的表达式在逗号处被 YAML 切断了",
    en: "YAML cut the expression at a comma, because it stands in braces or brackets",
    help_zh: "把表达式单独写成一行,或给整个表达式加引号",
    help_en: "put the expression on a line of its own, or quote the whole of it",
    long_zh: "在写成一行的对象或列表里,逗号分开成员,所以 {F: _function IF(a,1,2)} 会变成三个键。",
    long_en: "In a map or list written on one line commas separate members, so {F: _function IF(a,1,2)} \
              becomes three keys.",
    example: "{F: _function IF(a,1,2)}",
};

/// An expression cut at ` #`.
pub const FUNCTION_COMMENT: Entry = Entry {
    code: "E1036",
    severity: Severity::Error,
    zh: "表达式在 “空格加 #” 处被 YAML 当作注释切断了",
    en: "YAML cut the expression at the blank and #, which begin a comment",
    help_zh: "给整个表达式加引号",
    help_en: "quote the whole expression",
    long_zh: "没有引号的值遇到 “空格加 #” 就结束,后面的内容会悄悄丢失。",
    long_en: "A value without quotes ends at a blank followed by #; the rest is lost without a word.",
    example: "a: _function CONCAT('No #', b)",
};

/// Colon and blank in an unquoted expression.
pub const FUNCTION_COLON: Entry = Entry {
    code: "E1037",
    severity: Severity::Error,
    zh: "表达式里的冒号加空格被 YAML 当成了键的结尾",
    en: "YAML takes the colon and blank in the expression for the end of a key",
    help_zh: "给整个表达式加引号",
    help_en: "quote the whole expression",
    long_zh: "没有引号的值里不能出现冒号加空格。表达式里有这样的文本时,用双引号括起整个表达式。",
    long_en: "A value without quotes cannot hold a colon followed by a blank. Put the whole expression \
              into double quotes.",
    example: "a: _function CONCAT('x: y', b)",
};

/// A bracket inside an unquoted value in braces.
pub const BRACKET_IN_VALUE: Entry = Entry {
    code: "E1038",
    severity: Severity::Error,
    zh: "花括号或方括号里,没有引号的值不能含有 {char}",
    en: "inside braces or brackets a value without quotes cannot hold {char}",
    help_zh: "给整个值加引号,或单独写成一行;结果表里用 code: [1, 2]",
    help_en: "quote the whole value, or put it on a line of its own; in an outcome table write code: [1, \
              2]",
    long_zh: "在写成一行的对象或列表里,括号和逗号都有意义。值里要用它们时加引号。",
    long_en: "In a map or list written on one line brackets and commas have a meaning. Quote a value that \
              needs them.",
    example: "{when: code in [1, 2]}",
};

/// A full-width character where YAML knows the ordinary one only.
pub const FULL_WIDTH_MARK: Entry = Entry {
    code: "E1039",
    severity: Severity::Error,
    zh: "这里的 “{char}”(U+{hex})是全角字符,YAML 不认识它",
    en: "`{char}` (U+{hex}) is a full-width character, which means nothing to YAML",
    help_zh: "改成半角的{ascii_zh};确实是文本的一部分时给整个值加双引号",
    help_en: "write {ascii_en}; if it belongs to a text, put the whole value in double quotes",
    long_zh: "中文输入法会打出全角的逗号、引号、括号和空格。它们看起来与半角字符相近,YAML 却把它们当作普通文字。",
    long_en: "A Chinese input method types full-width commas, quotes, brackets and blanks. They look like the ordinary ones, but to YAML they are plain text.",
    example: "options: ｛FormId: BD_Customer｝",
};

/// More problems than are listed.
pub const MORE_PROBLEMS: Entry = Entry {
    code: "E1040",
    severity: Severity::Error,
    zh: "从这里往后的问题不再逐个列出,还有 {count} 个",
    en: "from here on problems are no longer listed one by one; there are {count} more",
    help_zh: "改好已经列出的,再检查一次",
    help_en: "mend those that are listed and check again",
    long_zh: "一个文件里最多逐个列出 100 个问题,其余的只计数。同一种错误重复成百上千次时,通常改好一处就知道其余怎么改,或者这个文件根本不是方案。",
    long_en: "Of one file at most 100 problems are listed, the others are counted. Where one mistake is repeated hundreds of times, the first tells how to mend the rest, or the file is no scheme at all.",
    example: "k1: 1\nk2: 1\n# …\nk101: 1",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &SYNTAX,
    &TOO_LARGE,
    &NOT_UTF8,
    &CONTROL,
    &TAB,
    &INDENT,
    &NO_COLON,
    &FULL_WIDTH,
    &FULL_WIDTH_MARK,
    &UNCLOSED_QUOTE,
    &UNCLOSED_BRACKET,
    &STRAY_BRACKET,
    &AFTER_BRACKET,
    &AFTER_QUOTE,
    &COLON,
    &FIRST_CHARACTER,
    &ESCAPE,
    &LIST_PLACE,
    &COMMENT_INSIDE,
    &DOCUMENTS,
    &DIRECTIVE,
    &EMPTY_FILE,
    &TAG,
    &MERGE_KEY,
    &ANCHORS,
    &UNKNOWN_ALIAS,
    &RECURSIVE,
    &DEPTH,
    &NODES,
    &DUPLICATE,
    &EMPTY_VALUE,
    &EMPTY_ITEM,
    &BARE_KEY,
    &KEY_KIND,
    &PLACEHOLDER,
    &REFERENCE,
    &FUNCTION_SPLIT,
    &FUNCTION_COMMENT,
    &FUNCTION_COLON,
    &BRACKET_IN_VALUE,
    &MORE_PROBLEMS,
];
