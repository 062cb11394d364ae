"""The languages and voices that people can choose for a call, with key press words and times.

Twilio speaks far more voices and languages than are offered, and new ones come every month. So any
name in a provider's form is accepted, and Twilio decides. Only a contradiction is refused: Twilio
documents that a voice and a language that don't belong together can make `Say` fail.
https://www.twilio.com/docs/voice/twiml/say/text-speech
https://www.twilio.com/docs/voice/twiml/say#voice
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime

from alerts.errors import UnusableInput

# https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})(-[A-Z]{3})?|arb")
_GOOGLE = re.compile(rf"Google\.({_LANGUAGE.pattern})-[A-Za-z0-9-]+")
_POLLY = re.compile(r"Polly\.([A-Z][a-z]+)(-[A-Z][A-Za-z-]+)?")
# Twilio's basic voices, which it has for a few languages.
_BASIC = frozenset({"man", "woman"})
# Amazon and Google name the Chinese languages differently.
_SAME_LANGUAGE = {"cmn-CN": "zh-CN", "cmn-TW": "zh-TW", "yue-HK": "zh-HK"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language that is offered (`code` as in `Say`), and its voices of Amazon Polly.

    `polly` are the standard ones, `neural` those that sound more like people and cost more. `alice`
    is Twilio's own voice.
    https://docs.aws.amazon.com/polly/latest/dg/available-voices.html
    """

    code: str
    name: str
    polly: tuple[str, ...]
    neural: tuple[str, ...] = ()
    alice: bool = True


AMERICAN = ("Joanna", "Matthew", "Salli", "Joey")
LANGUAGES: tuple[Language, ...] = (
    Language("en-GB", "English (UK)", ("Amy", "Brian", "Emma"), ("Amy", "Brian", "Emma", "Arthur")),
    Language("en-US", "English (US)", AMERICAN, (*AMERICAN, "Ruth", "Stephen", "Danielle")),
    Language("en-AU", "English (Australia)", ("Nicole", "Russell"), ("Olivia",)),
    Language("en-CA", "English (Canada)", ()),
    Language("en-IN", "English (India)", ("Aditi", "Raveena"), ("Kajal",)),
    Language("en-IE", "English (Ireland)", (), ("Niamh",), alice=False),
    Language("en-NZ", "English (New Zealand)", (), ("Aria",), alice=False),
    Language("en-ZA", "English (South Africa)", (), ("Ayanda",), alice=False),
    Language("ca-ES", "Catalan", (), ("Arlet",)),
    Language("zh-CN", "Chinese (Mandarin)", ("Zhiyu",), ("Zhiyu",)),
    Language("zh-HK", "Chinese (Cantonese)", ()),
    Language("zh-TW", "Chinese (Taiwan)", ()),
    Language("cs-CZ", "Czech", (), ("Jitka",), alice=False),
    Language("da-DK", "Danish", ("Naja", "Mads"), ("Sofie",)),
    Language("nl-NL", "Dutch", ("Lotte", "Ruben"), ("Laura",)),
    Language("nl-BE", "Dutch (Belgium)", (), ("Lisa",), alice=False),
    Language("fi-FI", "Finnish", (), ("Suvi",)),
    Language("fr-FR", "French", ("Lea", "Celine", "Mathieu"), ("Lea", "Remi")),
    Language("fr-BE", "French (Belgium)", (), ("Isabelle",), alice=False),
    Language("fr-CA", "French (Canada)", ("Chantal",), ("Gabrielle", "Liam")),
    Language("de-DE", "German", ("Vicki", "Marlene", "Hans"), ("Vicki", "Daniel")),
    Language("de-AT", "German (Austria)", (), ("Hannah",), alice=False),
    Language("hi-IN", "Hindi", ("Aditi",), ("Kajal",), alice=False),
    Language("it-IT", "Italian", ("Bianca", "Carla", "Giorgio"), ("Bianca", "Adriano")),
    Language("ja-JP", "Japanese", ("Mizuki", "Takumi"), ("Takumi", "Kazuha", "Tomoko")),
    Language("ko-KR", "Korean", ("Seoyeon",), ("Seoyeon",)),
    Language("nb-NO", "Norwegian", ("Liv",), ("Ida",)),
    Language("pl-PL", "Polish", ("Ewa", "Maja", "Jacek", "Jan"), ("Ola",)),
    Language(
        "pt-BR",
        "Portuguese (Brazil)",
        ("Camila", "Vitoria", "Ricardo"),
        ("Camila", "Vitoria", "Thiago"),
    ),
    Language("pt-PT", "Portuguese (Portugal)", ("Ines", "Cristiano"), ("Ines",)),
    Language("ro-RO", "Romanian", ("Carmen",), alice=False),
    Language("ru-RU", "Russian", ("Tatyana", "Maxim")),
    Language("es-ES", "Spanish (Spain)", ("Lucia", "Conchita", "Enrique"), ("Lucia", "Sergio")),
    Language("es-MX", "Spanish (Mexico)", ("Mia",), ("Mia", "Andres")),
    Language(
        "es-US",
        "Spanish (US)",
        ("Lupe", "Penelope", "Miguel"),
        ("Lupe", "Pedro"),
        alice=False,
    ),
    Language("sv-SE", "Swedish", ("Astrid",), ("Elin",)),
    Language("tr-TR", "Turkish", ("Filiz",), ("Burcu",), alice=False),
)
LANGUAGE_NAMES = {language.code: language.name for language in LANGUAGES}


def voices_for(language_code: str) -> dict[str, str]:
    """The voices that are offered for a language: Twilio's name of each, with the name to show."""
    spoken = next((each for each in LANGUAGES if each.code == language_code), None)
    if spoken is None:
        return {}
    own = {"alice": "Alice"} if spoken.alice else {}
    neural = {f"Polly.{name}-Neural": f"{name} (Polly, neural)" for name in spoken.neural}
    return own | {f"Polly.{name}": f"{name} (Polly)" for name in spoken.polly} | neural


def language_name(code: str) -> str:
    """Return the English name of a language, or the code of one that isn't among LANGUAGES."""
    return LANGUAGE_NAMES.get(code, code)


def check_language(code: str) -> None:
    """Raise `UnusableInput` for what isn't the code of a language and a country."""
    if code not in LANGUAGE_NAMES and not _LANGUAGE.fullmatch(code):
        raise UnusableInput(
            "language", f"{code[:40]!r} is not a language code such as en-GB or tr-TR."
        )


def check_voice(voice: str, language: str) -> None:
    """Raise `UnusableInput` for a voice that is known not to speak the language, or no language."""
    check_language(language)
    offered = voices_for(language)
    if voice in offered or voice in _BASIC:
        return
    spoken = _languages_of(voice)
    if spoken is None or any(_same(each) == _same(language) for each in spoken):
        return
    name = language_name(language)
    choice = f" Choose one of {', '.join(offered)}." if offered else ""
    if voice != "alice" and not spoken:
        raise UnusableInput(
            "voice",
            f"{voice[:40]!r} is not the name of a voice for {name}.{choice or ' Choose another.'} "
            "Others are written like Polly.Joanna-Neural or Google.en-US-Chirp3-HD-Aoede.",
        )
    speaks = "" if voice == "alice" else f" It speaks {', '.join(map(language_name, spoken))}."
    raise UnusableInput("voice", f"The voice {voice!r} doesn't speak {name}.{speaks}{choice}")


def voice_note(voice: str, language: str) -> str:
    """Say that a voice or language isn't known here, in a sentence; "" if both are."""
    if language not in LANGUAGE_NAMES:
        return f"The language {language} isn't in Callboard's list; Twilio decides."
    if voice not in voices_for(language):
        return f"The voice {voice} isn't in Callboard's list; Twilio decides."
    return ""


def _languages_of(voice: str) -> list[str] | None:
    """The languages of a voice: None if they aren't known, [] if it is no voice's name."""
    if voice == "alice":
        return [each.code for each in LANGUAGES if each.alice]
    google = _GOOGLE.fullmatch(voice)
    if google:
        return [google[1]]
    polly = _POLLY.fullmatch(voice)
    if polly is None:
        return []
    # A name of Amazon's speaks the same language in the standard and the neural engine.
    found = [each.code for each in LANGUAGES if polly[1] in {*each.polly, *each.neural}]
    return found or None


def _same(language: str) -> str:
    return _SAME_LANGUAGE.get(language, language)


@dataclass(frozen=True, slots=True)
class KeyPressWords:
    """What a call says about the key press, and a text about the reply, in one language.

    In a call `ask` comes after the message, `thanks` after a 1, `again` after any other key. In a
    text `reply` comes after the message.
    """

    ask: str
    thanks: str
    again: str
    reply: str


_CHINESE = KeyPressWords("請按1確認您已收到此訊息。", "謝謝，再見。", "請按1。", "請回覆1確認。")

# By language, or by language and country if it is said differently there.
_WORDS = {
    "en": KeyPressWords(
        "Press 1 to confirm that you got this message.",
        "Thank you. Goodbye.",
        "Please press 1.",
        "Reply 1 to confirm.",
    ),
    "ca": KeyPressWords(
        "Premeu 1 per confirmar que heu rebut aquest missatge.",
        "Gràcies. Adeu.",
        "Si us plau, premeu 1.",
        "Respongueu 1 per confirmar.",
    ),
    "zh-CN": KeyPressWords("请按1确认您已收到此消息。", "谢谢，再见。", "请按1。", "请回复1确认。"),
    "zh-HK": KeyPressWords(_CHINESE.ask, "多謝，再見。", _CHINESE.again, _CHINESE.reply),
    "zh-TW": _CHINESE,
    "cs": KeyPressWords(
        "Stisknutím 1 potvrďte, že jste tuto zprávu obdrželi.",
        "Děkujeme. Na shledanou.",
        "Stiskněte prosím 1.",
        "Pro potvrzení odpovězte 1.",
    ),
    "da": KeyPressWords(
        "Tryk på 1 for at bekræfte, at du har modtaget denne besked.",
        "Tak. Farvel.",
        "Tryk venligst på 1.",
        "Svar 1 for at bekræfte.",
    ),
    "nl": KeyPressWords(
        "Druk op 1 om te bevestigen dat u dit bericht hebt ontvangen.",
        "Dank u wel. Tot ziens.",
        "Drukt u alstublieft op 1.",
        "Antwoord 1 om te bevestigen.",
    ),
    "fi": KeyPressWords(
        "Paina numeroa 1 vahvistaaksesi, että olet saanut tämän viestin.",
        "Kiitos. Kuulemiin.",
        "Paina numeroa 1, kiitos.",
        "Vahvista vastaamalla 1.",
    ),
    "fr": KeyPressWords(
        "Appuyez sur 1 pour confirmer que vous avez bien reçu ce message.",
        "Merci. Au revoir.",
        "Veuillez appuyer sur 1.",
        "Répondez 1 pour confirmer.",
    ),
    "de": KeyPressWords(
        "Drücken Sie die 1, um zu bestätigen, dass Sie diese Nachricht erhalten haben.",
        "Vielen Dank. Auf Wiederhören.",
        "Bitte drücken Sie die 1.",
        "Antworten Sie mit 1, um zu bestätigen.",
    ),
    "hi": KeyPressWords(
        "यह संदेश मिलने की पुष्टि करने के लिए 1 दबाएँ।",
        "धन्यवाद। नमस्ते।",
        "कृपया 1 दबाएँ।",
        "पुष्टि करने के लिए 1 लिखकर जवाब दें।",
    ),
    "it": KeyPressWords(
        "Prema 1 per confermare di aver ricevuto questo messaggio.",
        "Grazie. Arrivederci.",
        "Per favore, prema 1.",
        "Risponda 1 per confermare.",
    ),
    "ja": KeyPressWords(
        "このメッセージを受け取られましたら、1を押してください。",
        "ありがとうございました。失礼いたします。",
        "1を押してください。",
        "確認のため、1と返信してください。",
    ),
    "ko": KeyPressWords(
        "이 메시지를 받으셨으면 1번을 눌러 주세요.",
        "감사합니다. 안녕히 계세요.",
        "1번을 눌러 주세요.",
        "확인하시려면 1로 답장해 주세요.",
    ),
    "nb": KeyPressWords(
        "Trykk 1 for å bekrefte at du har fått denne meldingen.",
        "Takk. Ha det bra.",
        "Vennligst trykk 1.",
        "Svar 1 for å bekrefte.",
    ),
    "pl": KeyPressWords(
        "Proszę nacisnąć 1, aby potwierdzić otrzymanie tej wiadomości.",
        "Dziękujemy. Do usłyszenia.",
        "Proszę nacisnąć 1.",
        "Aby potwierdzić, proszę odpisać 1.",
    ),
    "pt-BR": KeyPressWords(
        "Pressione 1 para confirmar que você recebeu esta mensagem.",
        "Agradecemos a confirmação. Até logo.",
        "Por favor, pressione 1.",
        "Responda 1 para confirmar.",
    ),
    "pt-PT": KeyPressWords(
        "Prima 1 para confirmar que recebeu esta mensagem.",
        "Agradecemos a confirmação. Adeus.",
        "Por favor, prima 1.",
        "Responda 1 para confirmar.",
    ),
    "ro": KeyPressWords(
        "Apăsați 1 pentru a confirma că ați primit acest mesaj.",
        "Vă mulțumim. La revedere.",
        "Vă rugăm să apăsați 1.",
        "Răspundeți cu 1 pentru a confirma.",
    ),
    "ru": KeyPressWords(
        "Нажмите 1, чтобы подтвердить, что вы получили это сообщение.",
        "Спасибо. До свидания.",
        "Пожалуйста, нажмите 1.",
        "Ответьте 1, чтобы подтвердить.",
    ),
    "es": KeyPressWords(
        "Pulse 1 para confirmar que ha recibido este mensaje.",
        "Gracias. Adiós.",
        "Por favor, pulse 1.",
        "Responda 1 para confirmar.",
    ),
    "es-MX": KeyPressWords(
        "Presione 1 para confirmar que recibió este mensaje.",
        "Gracias. Hasta luego.",
        "Por favor, presione 1.",
        "Responda 1 para confirmar.",
    ),
    "tr": KeyPressWords(
        "Bu mesajı aldığınızı onaylamak için 1 tuşuna basın.",
        "Teşekkürler. Hoşça kalın.",
        "Lütfen 1 tuşuna basın.",
        "Onaylamak için 1 yazıp yanıtlayın.",
    ),
    "sv": KeyPressWords(
        "Tryck på 1 för att bekräfta att du har fått det här meddelandet.",
        "Tack. Hej då.",
        "Tryck på 1, tack.",
        "Svara 1 för att bekräfta.",
    ),
}


def key_press_words(language_code: str) -> KeyPressWords:
    """Return the words for a language. Raises `UnusableInput` if there are none for it."""
    words = _WORDS.get(language_code) or _WORDS.get(language_code.partition("-")[0])
    if words is None:
        raise UnusableInput(
            "acknowledge",
            f"Callboard has no words in {language_code} that ask for a key press or a reply. Don't "
            "ask for one, or choose another language.",
        )
    return words


def spoken_now(moment: datetime, language: str) -> str:
    """Say the time in a language: "9:42 AM on Friday", or the day and the time as written there."""
    locale = _locale(language)
    if locale.language == "en":
        return format_datetime(moment, "h:mm a 'on' EEEE", locale=locale)
    return format_datetime(moment, f"EEEE, {locale.time_formats['short'].pattern}", locale=locale)


def spoken_today(moment: datetime, language: str) -> str:
    """Say the date in a language, in full: "Friday, November 20, 2026"."""
    return format_date(moment, "full", locale=_locale(language))


def _locale(language: str) -> Locale:
    """The locale that times are written in: English if the language's isn't known."""
    for name in (language, language.partition("-")[0]):
        with suppress(UnknownLocaleError, ValueError):
            return Locale.parse(name, sep="-")
    return Locale("en")
