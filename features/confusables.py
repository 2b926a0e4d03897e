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
    "2": "ƧϨᒿꙄꛯꝚƨϩꙅꝛ",
    "3": "ƷȜЗӠⳌꝪꞫ𑣊𖼻𝈆ʒȝзӡⳍꝫɜ𑢪",
    "4": "Ꮞ𑢯ꮞ𑣏",
    "5": "Ƽ𑢻𑣛",
    "6": "бᏮⳒ𑣕Бꮾⳓ",
    "7": "𐓒𑣆𝈒𐓺",
    "8": "Ȣȣ৪੪ଃ𐌚",
    "9": "৭੧୨൭ⳊꝮ𑢬𑣌𑣖ⳋꝯ𑢶",
    "a": "ȺɑΑαАаᎪᗅᴀᶏ⍺ⱥꓮꭺ𐊠𖽀🅐🅰🇦Ɑ",
    "b": "ƀƁƂƃƄƅɃɓʙΒβВЬвъьᏏᏴᏼᑲᖯᗷᵬᶀꓐꞖꞗꞴ𐊂𐊡𐌁🅑🅱🇧Ъꮟꞵ",
    "c": "¢ƇƈȻȼɕɛЄСсԑᏟᴄⲈⲉⲤⲥꓚꞒꞓꞔꟄꮛꮯ𐊢𐌂𐐕𐐩𐐽𐔜𑣎𑣩𑣲𝼝🅒🅲🇨🝌ƐԐᏋ𐐁ϲ",
    "d": "ĐđƊƋƌȡɖɗԁᎠᏧᑯᗞᗪᴅᵭᶁᶑꓒꓓꟇꟈꭰ🅓🅳🇩ƉԀꮷ",
    "e": "ɆɇΕεЕеэєҽᎬᴇᶒ€℮ⱸⴹꓰꬲꬴꭼ𐊆𑢦𑢮🅔🅴🇪ЭҼ",
    "f": "ƑƒϜքᖴᵮᶂẝꓝꜰꞘꞙꬵ𐊇𐊥𐔥𑢢𑣂𝈓🅕🅵🇫ϝՔ",
    "g": "ƍƓǤǥɠɡɢʛԌԍցᏀᏳᏻᶃꓖꞠꞡꬶꮐ🅖🅶🇬ꞬՑ",
    "h": "ĦħɦʜΗНнһհᎻᏂᕼⱧⱨⲎꓧꜧꞕꞪꮋ𐋏🅗🅷🇭ҺՀꮒⲏꜦ",
    "i": "ıƗɨɩɪιіӏᎥᶖ⍳ꙇꭵ𑣃𝼚🅘🅸🇮ꞮꙆ",
    "j": "ȷɈɉɟʄʝͿϳЈјյᎫᒍᴊꓙꞲꭻ🅙🅹🇯Յ",
    "k": "ĸƘƙΚκКкᏦᛕᴋᶄⱩⱪⲔⲕꓗꝀꝁꝂꝃꝄꝅꞢꞣꮶ𐔘🅚🅺🇰",
    "l": ("£ŁłƖƚǀȴȽɫɬɭʟΙІӀ۱Ꮮᒪᛁᴌᶅ₤ⱠⱡⱢⲒⳐⳑⵏꓡꓲꝈꝉꞎꞭꬷꬸꬹꮮ𐊊𐌉𐌠𐐛𐑃𐔦𑢣𑢲𖼖𖼨𝈪𝼄𝼑𝼓🅛🅻🇱ⲓ𑣒￨"),
    "m": "ɱʍΜϺМмᎷᗰᛖᴍᵯᶆⱮⲘꓟꬺꭑ𐊰𐌑🅜🅼🇲ϻꮇⲙ",
    "n": "ƝƞȠȵɲɳɴΝηπипոռᴎᵰᶇⲚꓠꞐꞑꞤꞥꬻ𐔓🅝🅽🇳ΠИПՈՌⲛ",
    "o": ("ØøƟǾǿΟοσОоՕօ۵०০੦૦ଠ୦௦ం౦ಂ೦ംഠ൦ං๐໐ဝ၀ჿዐᴏᴑⱺⲞⲟⵔꓳꝊꝋꝌꝍꬽ𐊒𐊫𐐄𐐬𐓂𐓪𐔖𑓐𑢵𑣈𑣗𑣠𝼛🅞🅾🇴ɵΣᲿ𑢨𑢷"),
    "p": "ƤƥΡρРрᏢᑭᴘᴩᵱᵽᶈ⍴ⱣⲢⲣꓑꝐꝑꝒꝓꝔꝕꮲ𐊕🅟🅿🆊🇵",
    "q": "ɋʠԛգզᶐⵕꝖꝗꝘꝙꞯ🅠🆀🇶ɊԚԳԶ",
    "r": "ƦɌɍɼɽɾʀгяᎡᏒᖇᴙᴦᵲᵳᶉⱤⲅꓣꞦꞧꭆꭇꭈꭉꭋꭌꭱꮁꮢ𐒴𖼵𝈖𝼖🅡🆁🇷ГЯⲄᎱ𐓜",
    "s": "ƽȿʂЅѕՏᏕᏚᵴᶊⱾꓢꜱꞨꞩꟅꟉꟊꮪ𐊖𐐠𐑈𑣁𖼺𝼞🅢🆂🇸տꮥ𑢡",
    "t": "ŦŧƫƬƭƮȶȾʈΤτТтᎢᎿᴛᵵⱦⲦꓔꭲ𐊗𐊱𐌕𑢼𖼊𝼉🅣🆃🇹🝨ꮏⲧ",
    "u": "μυцՍսሀᑌᴜᶙꓴꞟꞸꞹꭎꭒ𐓎𐓶𑢸𑣘𖽂🅤🆄🇺ЦꞞ",
    "v": "ƲʋνѴѵ۷ᏙᐯᴠᶌⱱⱴⴸꓦꛟꝞꝟꮩ𐔝𑜆𑢠𑣀𖼈𝈍🅥🆅🇻",
    "w": "ɯωшщѡԜԝաᎳᏔᴡⱲⱳⲱⲽꓪꙍꞷꮃ𑜊𑜎𑜏𑣦𑣯🅦🆆🇼ƜΩШЩѠԱꮤⲰⲼꙌꞶ",
    "x": "×ΧХхᕁᕽ᙭᙮ᚷᶍⲬⵝꓫꞳꭖꭗꭘꭙ𐊐𐊴𐌗𐌢𐔧𑣬🅧🆇🇽χⲭꭓ",
    "y": "ƳƴɎɏɣʏΥγУуҮүყᎩᎽỾỿⲨꓬꭚ𐊲𑢤𑣜𖽃🅨🆈🇾ƔΓᲧꭹꮍⲩ",
    "z": "ƵƶȤȥɀʐʑΖᏃᴢᵶᶎⱫⱬⱿꓜꟆꮓ𐋵𑢩𑣄𑣥🅩🆉🇿ζ𑣉",
}
