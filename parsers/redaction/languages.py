"""What secrets are called in the languages that most people speak, and some of those whose endpoints we have seen.

Pieces of regular expressions that ignore case, each of which begins with a letter, a set or a group of alternatives.
"""

# ruff: noqa: RUF001  # other scripts, on purpose

from typing import Final

FOREIGN_WORDS: Final = (
    # Spanish, Portuguese, Italian, French, Romanian
    r"contrase(?:ñ|n|n\u0303)as?",
    r"clave(?![a-z])",
    r"secreto(?:\sdel?\scliente)?(?![a-z])",
    r"segredo(?:\sdo\scliente)?(?![a-z])",
    r"secret\sdu\sclient",
    r"mot[\s_-]?de[\s_-]?passe",
    r"mdp(?![a-z])",
    r"jeton(?:\sd['\u2019](?:acc[eè]s|actualisation|authentification|identit[eé]))?",
    r"code\sd['\u2019](?:autorisation|acc[eè]s|activation|authentification)",
    r"code\sde\s(?:v[eé]rification|s[eé]curit[eé]|confirmation|validation)",
    r"senha",
    r"palavra[\s_-]passe",
    r"c[oó]digo(?:\sde\s(?:autorizaci[oó]n|autoriza[cç][aã]o|verificaci[oó]n|verifica[cç][aã]o|acces?so|acesso|seguridad|seguran[cç]a))?(?=\W)",
    r"codice(?:\sdi\s(?:verifica|accesso|autorizzazione|sicurezza|conferma))?(?=\W)",
    r"parol[aă](?!\w)",
    # German, Dutch, Swedish, Danish, Norwegian, Finnish
    r"kennwort",
    r"zugangscode",
    r"geheimnis(?![a-z])",
    r"(?:best[aä]tigungs|autorisierungs|sicherheits|einmal|freischalt|verifizierungs|aktivierungs)code",
    r"wachtwoord",
    r"lösenord",
    r"adgangskode",
    r"passord(?![a-z])",
    r"salasana",
    # Russian, Polish, Czech
    r"парол(?:ь|я|ем|ю)",
    r"токен(?:а|ом)?",
    r"секрет(?:а|ом)?(?:\sклиента)?",
    r"код(?:\s(?:подтверждения|авторизации|доступа|активации))?(?!\w)",
    r"has[lł]o(?![a-z])",
    r"heslo(?![a-z])",
    r"jelsz[oó](?!\w)",
    # Hindi, Bengali, Arabic, Urdu, Persian
    r"पासवर्ड|कूटशब्द|टोकन|ओटीपी|सत्यापन कोड|सुरक्षा कोड",
    r"পাসওয়ার্ড|পাসওয়ার্ড|টোকেন|ওটিপি|গোপন কোড|গোপন নম্বর|যাচাইকরণ কোড",
    r"كلمة[\s_](?:المرور|مرور|السر|سر)",
    r"رمز(?!\s(?:ال)?(?:خطأ|حالة|بريد|دولة|استجابة))(?:[\s_](?:المرور|الدخول|التحقق|الوصول|المصادقة|الأمان|عبور))?(?!\w)",
    r"الرقم\sالسري",
    r"پاس[\s\u200c]?ورڈ",
    r"خفیہ\sکوڈ",
    r"کلم[هہ]\sعبور",
    # Chinese, Japanese, Korean
    r"密[码碼钥鑰]",
    r"口令",
    r"令牌",
    r"(?:验证|驗證|授权|授權)[码碼]",
    r"パスワード",
    r"トークン",
    r"シークレット",
    r"暗証番号",
    r"(?:認証|認可|確認|検証)コード",
    r"비밀번호",
    r"토큰",
    r"인증\s?(?:번호|코드)",
    # Indonesian, Turkish, Vietnamese, Greek, Hebrew, Thai
    r"kata[\s_-]sandi",
    r"kode\s(?:verifikasi|otp|akses|otorisasi|konfirmasi|keamanan)(?:\sanda)?(?![a-z])",
    r"[sş]ifre(?:si)?(?![a-z])",
    r"(?:do[gğ]rulama|onay|g[uü]venlik|eri[sş]im)\skodu(?![a-z])",
    r"mật[\s_]khẩu",
    r"mã\s(?:xác\s(?:nhận|thực)|otp|pin)",
    r"κωδικ[οό]ς",
    r"סיסמ[הא]",
    r"รหัสผ่าน",
)
FOREIGN_SHORT_WORDS: Final = ("kode", "sandi", "कोड", "কোড", "کوڈ")
"""Words for a code that are one of a secret only by themselves, and with a sign."""
