//! Scripts for somebody's browser: elements, event handlers, schemes, style.

use super::{Family, Rule, RuleInfo, Severity, certain, hint, likely};

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "xss-script",
            family: Family::Xss,
            severity: Severity::High,
            cwe: 79,
            message: "a script element, or script that reads a page and its cookies",
            why: "Shown unescaped on a page, in a mail or in a console, it runs as whoever looks at it. `the script of the film <3` is no element.",
            example: "<script>alert(1)</script>",
        },
        patterns: &[
            certain(&["script"], r"<\s*/?\s*(?:\w+:)?script(?:[\s/>\x00:]|$)"),
            certain(&["<!--#"], r"<!--#\s*(?:exec|include|echo|config|printenv|set|fsize|flastmod|if|elif)\b"),
            certain(&["<esi:"], r"<esi:\w+"),
            // `<` and `>` in UTF-7.
            likely(&["+adw", "+ad4"], r"(?-i:\+ADw-|\+AD4-|\+ADwA[IL]\w{0,2}-|\+AD4A\w{1,3}-)"),
            likely(&["(alert", "(confirm", "(prompt", "(eval", "=alert", "top[", "self[", "(print"], r"\(\s*(?:alert|confirm|prompt|eval|print)\s*\)\s*[(`]|\.(?:find|map|forEach|some|every|filter|sort|call|apply|reduce)\s*\(\s*(?:alert|confirm|prompt|eval|print)\b|\b\w=\s*(?:alert|confirm|prompt|eval)\s*[,;]|\b(?:top|self|window|parent|frames)\s*\[\s*[/\d'\x22`(].{1,80}\]\s*\("),
            // Calls that avoid their own parentheses, and names that avoid their own dots.
            likely(&["alert", "confirm", "prompt", "print", "eval", ".call`", "document[", "document?", "navigation.navigate"], r"\b(?:alert|confirm|prompt|print|eval)\s*(?:\?\.\s*[(`]|\.\s*(?:call|apply|bind)\s*[(`])|\b(?:alert|confirm|prompt)`[^`\s]{0,40}`|\w\.(?:call|apply)`\$\{|\bdocument\s*(?:\[\s*['\x22`](?:cookie|domain|write|location|body)|\?\.\s*(?:cookie|write|location))|\bwindow\s*\[\s*(?:\[|document)"),
            likely(&["document.", "window.", "string.fromcharcode", "alert(", "prompt(", "confirm(", "alert`", "innerhtml", "eval(atob", "localstorage."], r"\bdocument\s*\.\s*(?:cookie|write(?:ln)?\s*\(|location\s*=|domain\b|body\.append|documentElement)|\bwindow\s*(?:\.\s*(?:location\s*=|open\s*\(|name\b|onerror|alert)|\[\s*['\x22])|String\.fromCharCode\s*\(|\b(?:alert|prompt|confirm)(?:\(\s*(?:\d+|document|window|'[^']*'|\x22[^\x22]*\x22|/\w+/|`|origin|location)[^)]*\)|`[^`\s]*`)|\.innerHTML\s*=|\beval\s*\(\s*atob|localStorage\.(?:getItem|setItem)\s*\(").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "xss-event-handler",
            family: Family::Xss,
            severity: Severity::High,
            cwe: 79,
            message: "an event handler in a tag or breaking out of an attribute",
            why: "`onerror`, `onload` and some hundred others run script without a script element; `\" onfocus=… x=\"` does so from inside an attribute.",
            example: "<img src=x onerror=alert(1)>",
        },
        patterns: &[
            certain(&["<"], concat!(r"<[a-z!/?:][^<>]*[\s/\x22'`\x00+]", "on(?:abort|after|animation|auto|before|begin|blur|bounce|cancel|canplay|change|click|close|command|content|context|copy|cue|cut|dblclick|device|drag|drop|duration|emptied|end|error|finish|focus|form|fullscreen|gesture|got|hash|input|invalid|key|lang|load|lost|media|message|mouse|move|offline|online|open|orient|page|paste|pause|play|pointer|pop|progress|rate|ready|reset|resize|repeat|scroll|search|seek|security|select|show|slotchange|stalled|start|storage|submit|suspend|time|toggle|touch|transition|unhandled|unload|volume|waiting|webkit|wheel|zoom)", r"\w*\s*=")),
            // Browsers run handlers this table doesn't know yet.
            likely(&["<"], r"<[a-z][^<>\s]{0,40}(?:\s[^<>]{0,300})?[\s/\x22'`]on[a-z]{3,30}\s*=\s*\S"),
            likely(&["onerror", "onload", "onclick", "onmouse", "onfocus", "ontoggle", "onkey", "onblur", "oninput", "onchange", "onpointer", "onanimation", "ontransition", "onstart", "onsubmit", "onbegin", "onscroll", "onwheel", "ondrag", "onauxclick", "onshow"], r"['\x22`>/\s+]\s*(?:autofocus\s+)?\bon(?:error|load|click|mouse\w+|focus\w*|toggle|key\w+|blur|input|change|pointer\w+|animation\w+|transition\w+|start|submit|begin|scroll\w*|wheel|drag\w*|auxclick|show)\s*=\s*[\w'\x22`&({\[!]"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "xss-element",
            family: Family::Xss,
            severity: Severity::Medium,
            cwe: 79,
            message: "an element that loads or runs something foreign in a page",
            why: "Frames, plug-ins, base addresses, foreign style sheets and redirecting metadata need no script to do harm. Ordinary formatting (`<b>`, `<a href=https:…>`, `<img src=https:…>`) stays silent.",
            example: "<iframe srcdoc=\"hello\">",
        },
        patterns: &[
            likely(&["<iframe", "<object", "<embed", "<applet", "<base", "<frame", "<meta", "<link", "<form", "<svg", "<math", "<isindex", "<portal", "<bgsound", "<layer", "<import", "<xss", "<template", "<noscript"], r"<(?:iframe|frame|frameset|embed|applet|isindex|portal|bgsound|ilayer|layer|xss)\b(?:[\s/>+]|$)|<object\b[^>]*(?:data|type|classid)\s*=|<base\b[^>]*href|<meta\b[^>]*(?:http-equiv|url\s*=)|<link\b[^>]*(?:stylesheet|import|javascript)|<form\b[^>]*\baction\s*=|<(?:svg|math)\b.{0,400}?(?:<(?:animate|set|a|use|foreignobject|image|handler|style|mtext|mglyph)\b|href\s*=)|<(?:template|noscript)\b[^>]*>.{0,200}<(?:img|style)"),
            likely(&["dataformatas", "datasrc=", "<?import", "<xml ", "utf-7", "x-imap4", "<!entity"], r"\bdataformatas\s*=|\bdatasrc\s*=\s*['\x22]?#|<\?import\s+\w+\s*=|<xml\s+(?:src|id)\s*=|charset\s*=\s*['\x22]?(?:utf-7|x-imap4)"),
            likely(&["srcdoc", "formaction", "xlink:href", "<style", "expression(", "-moz-binding", "behavior:", "javascript:"], r"\bsrcdoc\s*=|\bformaction\s*=|xlink:href\s*=\s*['\x22]?\s*(?:data|javascript|#)|<style\b[^>]*>|\bstyle\s*=\s*['\x22]?[^'\x22>]*(?:expression\s*\(|-moz-binding|behavior\s*:\s*url|javascript:)|:\s*expression\s*\("),
            hint(&["<svg", "<img", "<video", "<audio", "<body", "<details", "<marquee"], r"<(?:svg|img|video|audio|body|details|marquee)\s*(?:>|/|src\s*=\s*['\x22]?(?:x|a|1|//|javascript)['\x22\s>])"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "xss-scheme",
            family: Family::Xss,
            severity: Severity::High,
            cwe: 79,
            message: "an address that runs script when it is opened",
            why: "`javascript:` and `data:text/html` in a link, image or redirect run in the page. White space and entities inside the scheme are seen through.",
            example: "javascript:alert(document.domain)",
        },
        patterns: &[
            likely(&["javascript"], r"\bjavascript\s*:\s*(?:[\w$.\[\]'\x22+!~-]+\s*[(=`\[;]|//|%|/\*|'|\x22|`|\\|\(|\[|\{|!|void\b|eval\b|[\w.]+$)|(?:href|src|action|url|data)\s*[=(]\s*['\x22]?\s*javascript\s*:"),
            likely(&["vbscript", "livescript", "mocha:"], r"\b(?:vbscript|livescript|mocha)\s*:\s*\w+"),
            certain(&["data:text/html", "data:application/xhtml", "data:image/svg+xml", "data:text/xml", "data:application/xml", "data:text/javascript", "data:application/javascript", "data:,"], r"\bdata\s*:\s*(?:text/html|application/xhtml|text/xml|application/xml|text/javascript|application/javascript|image/svg\+xml[^,]*,[^,]*(?:script|onload|%3cscript))[\s;,+]|data:,\s*(?:alert|eval)"),
        ],
    },
];
