"""Characters that look like a Latin letter or a digit, by what they look like.

Derived from the table of Unicode's security mechanisms (UTS #39, confusables.txt, by way of the package
confusable-homoglyphs 3.3.1): what is confusable with an ASCII letter or digit, in one step or through one other
character (Cyrillic \u0432 by the small capital \u0299). What Unicode normalisation (NFKC, or the loss of accents) turns
into ASCII anyway is left out. Added are letters whose Unicode name says which they are (small capitals, letters with a
stroke or a hook, those in black circles and squares, regional indicators), and a few that the table lacks although
they are used so, such as Cyrillic \u044f for r.

The whole of the package would be 0.9 MB of JSON without types; this is all that comparing with Latin terms needs.

Copyright 1991-2023 Unicode, Inc., under the Unicode License v3 (UNICODE-LICENSE.txt beside this file).
"""

from typing import Final

#: Letter or digit -> the characters that look like it.
LOOK_ALIKES: Final[dict[str, str]] = {
    "2": "ƧϨᒿꙄꛯꝚ",
    "3": "ƷȜЗӠⳌꝪꞫ𑣊𖼻𝈆",
    "4": "Ꮞ𑢯",
    "5": "Ƽ𑢻",
    "6": "бᏮⳒ𑣕",
    "7": "𐓒𑣆𝈒",
    "8": "Ȣȣ৪੪ଃ𐌚",
    "9": "৭੧୨൭ⳊꝮ𑢬𑣌𑣖",
    "a": "ȺɑΑαАаᎪᗅᴀᶏ⍺ⱥꓮꭺ𐊠𖽀🅐🅰🇦",
    "b": "ƀƁƂƃƄƅɃɓʙΒβВЬвъьᏏᏴᏼᑲᖯᗷᵬᶀꓐꞖꞗꞴ𐊂𐊡𐌁🅑🅱🇧",
    "c": "¢ƇƈȻȼɕɛЄСсԑᏟᴄⲈⲉⲤⲥꓚꞒꞓꞔꟄꮛꮯ𐊢𐌂𐐕𐐩𐐽𐔜𑣎𑣩𑣲𝼝🅒🅲🇨🝌",
    "d": "ĐđƊƋƌȡɖɗԁᎠᏧᑯᗞᗪᴅᵭᶁᶑꓒꓓꟇꟈꭰ🅓🅳🇩",
    "e": "ɆɇΕεЕеэєҽᎬᴇᶒ€℮ⱸⴹꓰꬲꬴꭼ𐊆𑢦𑢮🅔🅴🇪",
    "f": "ƑƒϜքᖴᵮᶂẝꓝꜰꞘꞙꬵ𐊇𐊥𐔥𑢢𑣂𝈓🅕🅵🇫",
    "g": "ƍƓǤǥɠɡɢʛԌԍցᏀᏳᏻᶃꓖꞠꞡꬶꮐ🅖🅶🇬",
    "h": "ĦħɦʜΗНнһհᎻᏂᕼⱧⱨⲎꓧꜧꞕꞪꮋ𐋏🅗🅷🇭",
    "i": "ıƗɨɩɪιіӏᎥᶖ⍳ꙇꭵ𑣃𝼚🅘🅸🇮",
    "j": "ȷɈɉɟʄʝͿϳЈјյᎫᒍᴊꓙꞲꭻ🅙🅹🇯",
    "k": "ĸƘƙΚκКкᏦᛕᴋᶄⱩⱪⲔⲕꓗꝀꝁꝂꝃꝄꝅꞢꞣꮶ𐔘🅚🅺🇰",
    "l": ("£ŁłƖƚǀȴȽɫɬɭʟΙІӀ۱Ꮮᒪᛁᴌᶅ₤ⱠⱡⱢⲒⳐⳑⵏꓡꓲꝈꝉꞎꞭꬷꬸꬹꮮ𐊊𐌉𐌠𐐛𐑃𐔦𑢣𑢲𖼖𖼨𝈪𝼄𝼑𝼓🅛🅻🇱"),
    "m": "ɱʍΜϺМмᎷᗰᛖᴍᵯᶆⱮⲘꓟꬺꭑ𐊰𐌑🅜🅼🇲",
    "n": "ƝƞȠȵɲɳɴΝηπипոռᴎᵰᶇⲚꓠꞐꞑꞤꞥꬻ𐔓🅝🅽🇳",
    "o": ("ØøƟǾǿΟοσОоՕօ۵०০੦૦ଠ୦௦ం౦ಂ೦ംഠ൦ං๐໐ဝ၀ჿዐᴏᴑⱺⲞⲟⵔꓳꝊꝋꝌꝍꬽ𐊒𐊫𐐄𐐬𐓂𐓪𐔖𑓐𑢵𑣈𑣗𑣠𝼛🅞🅾🇴"),
    "p": "ƤƥΡρРрᏢᑭᴘᴩᵱᵽᶈ⍴ⱣⲢⲣꓑꝐꝑꝒꝓꝔꝕꮲ𐊕🅟🅿🆊🇵",
    "q": "ɋʠԛգզᶐⵕꝖꝗꝘꝙꞯ🅠🆀🇶",
    "r": "ƦɌɍɼɽɾʀгяᎡᏒᖇᴙᴦᵲᵳᶉⱤⲅꓣꞦꞧꭆꭇꭈꭉꭋꭌꭱꮁꮢ𐒴𖼵𝈖𝼖🅡🆁🇷",
    "s": "ƽȿʂЅѕՏᏕᏚᵴᶊⱾꓢꜱꞨꞩꟅꟉꟊꮪ𐊖𐐠𐑈𑣁𖼺𝼞🅢🆂🇸",
    "t": "ŦŧƫƬƭƮȶȾʈΤτТтᎢᎿᴛᵵⱦⲦꓔꭲ𐊗𐊱𐌕𑢼𖼊𝼉🅣🆃🇹🝨",
    "u": "μυцՍսሀᑌᴜᶙꓴꞟꞸꞹꭎꭒ𐓎𐓶𑢸𑣘𖽂🅤🆄🇺",
    "v": "ƲʋνѴѵ۷ᏙᐯᴠᶌⱱⱴⴸꓦꛟꝞꝟꮩ𐔝𑜆𑢠𑣀𖼈𝈍🅥🆅🇻",
    "w": "ɯωшщѡԜԝաᎳᏔᴡⱲⱳⲱⲽꓪꙍꞷꮃ𑜊𑜎𑜏𑣦𑣯🅦🆆🇼",
    "x": "×ΧХхᕁᕽ᙭᙮ᚷᶍⲬⵝꓫꞳꭖꭗꭘꭙ𐊐𐊴𐌗𐌢𐔧𑣬🅧🆇🇽",
    "y": "ƳƴɎɏɣʏΥγУуҮүყᎩᎽỾỿⲨꓬꭚ𐊲𑢤𑣜𖽃🅨🆈🇾",
    "z": "ƵƶȤȥɀʐʑΖᏃᴢᵶᶎⱫⱬⱿꓜꟆꮓ𐋵𑢩𑣄𑣥🅩🆉🇿",
}
