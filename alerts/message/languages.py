"""The languages and voices that people can choose for a call, with key press words and times.

https://www.twilio.com/docs/voice/twiml/say/text-speech
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from babel import Locale
from babel.dates import format_date, format_datetime


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the voice `alice` speaks (`code` as in `Say`), and its Polly voices."""

    code: str
    name: str
    polly: tuple[str, ...]


LANGUAGES: tuple[Language, ...] = (
    Language("en-GB", "English (UK)", ("Amy", "Brian", "Emma")),
    Language("en-US", "English (US)", ("Joanna", "Matthew", "Salli", "Joey")),
    Language("en-AU", "English (Australia)", ("Nicole", "Russell")),
    Language("en-CA", "English (Canada)", ()),
    Language("en-IN", "English (India)", ("Aditi", "Raveena")),
    Language("ca-ES", "Catalan", ()),
    Language("zh-CN", "Chinese (Mandarin)", ("Zhiyu",)),
    Language("zh-HK", "Chinese (Cantonese)", ()),
    Language("zh-TW", "Chinese (Taiwan)", ()),
    Language("da-DK", "Danish", ("Naja", "Mads")),
    Language("nl-NL", "Dutch", ("Lotte", "Ruben")),
    Language("fi-FI", "Finnish", ()),
    Language("fr-FR", "French", ("Lea", "Celine", "Mathieu")),
    Language("fr-CA", "French (Canada)", ("Chantal",)),
    Language("de-DE", "German", ("Vicki", "Marlene", "Hans")),
    Language("it-IT", "Italian", ("Bianca", "Carla", "Giorgio")),
    Language("ja-JP", "Japanese", ("Mizuki", "Takumi")),
    Language("ko-KR", "Korean", ("Seoyeon",)),
    Language("nb-NO", "Norwegian", ("Liv",)),
    Language("pl-PL", "Polish", ("Ewa", "Maja", "Jacek", "Jan")),
    Language("pt-BR", "Portuguese (Brazil)", ("Camila", "Vitoria", "Ricardo")),
    Language("pt-PT", "Portuguese (Portugal)", ("Ines", "Cristiano")),
    Language("ru-RU", "Russian", ("Tatyana", "Maxim")),
    Language("es-ES", "Spanish (Spain)", ("Lucia", "Conchita", "Enrique")),
    Language("es-MX", "Spanish (Mexico)", ("Mia",)),
    Language("sv-SE", "Swedish", ("Astrid",)),
)
LANGUAGE_NAMES = {language.code: language.name for language in LANGUAGES}


def voices_for(language_code: str) -> dict[str, str]:
    """The voices that speak a language: Twilio's name of each, with the name to show people."""
    polly = next((spoken.polly for spoken in LANGUAGES if spoken.code == language_code), ())
    return {"alice": "Alice"} | {f"Polly.{name}": f"{name} (Polly)" for name in polly}


@dataclass(frozen=True, slots=True)
class KeyPressWords:
    """What a call says about the key press, in one language.

    `ask` comes after the message, `thanks` after a 1, `again` after any other key.
    """

    ask: str
    thanks: str
    again: str


_CHINESE = KeyPressWords("請按1確認您已收到此訊息。", "謝謝，再見。", "請按1。")

# By language, or by language and country if it is said differently there.
_WORDS = {
    "en": KeyPressWords(
        "Press 1 to confirm that you got this message.", "Thank you. Goodbye.", "Please press 1."
    ),
    "ca": KeyPressWords(
        "Premeu 1 per confirmar que heu rebut aquest missatge.",
        "Gràcies. Adeu.",
        "Si us plau, premeu 1.",
    ),
    "zh-CN": KeyPressWords("请按1确认您已收到此消息。", "谢谢，再见。", "请按1。"),
    "zh-HK": KeyPressWords(_CHINESE.ask, "多謝，再見。", _CHINESE.again),
    "zh-TW": _CHINESE,
    "da": KeyPressWords(
        "Tryk på 1 for at bekræfte, at du har modtaget denne besked.",
        "Tak. Farvel.",
        "Tryk venligst på 1.",
    ),
    "nl": KeyPressWords(
        "Druk op 1 om te bevestigen dat u dit bericht hebt ontvangen.",
        "Dank u wel. Tot ziens.",
        "Drukt u alstublieft op 1.",
    ),
    "fi": KeyPressWords(
        "Paina numeroa 1 vahvistaaksesi, että olet saanut tämän viestin.",
        "Kiitos. Kuulemiin.",
        "Paina numeroa 1, kiitos.",
    ),
    "fr": KeyPressWords(
        "Appuyez sur 1 pour confirmer que vous avez bien reçu ce message.",
        "Merci. Au revoir.",
        "Veuillez appuyer sur 1.",
    ),
    "de": KeyPressWords(
        "Drücken Sie die 1, um zu bestätigen, dass Sie diese Nachricht erhalten haben.",
        "Vielen Dank. Auf Wiederhören.",
        "Bitte drücken Sie die 1.",
    ),
    "it": KeyPressWords(
        "Prema 1 per confermare di aver ricevuto questo messaggio.",
        "Grazie. Arrivederci.",
        "Per favore, prema 1.",
    ),
    "ja": KeyPressWords(
        "このメッセージを受け取られましたら、1を押してください。",
        "ありがとうございました。失礼いたします。",
        "1を押してください。",
    ),
    "ko": KeyPressWords(
        "이 메시지를 받으셨으면 1번을 눌러 주세요.",
        "감사합니다. 안녕히 계세요.",
        "1번을 눌러 주세요.",
    ),
    "nb": KeyPressWords(
        "Trykk 1 for å bekrefte at du har fått denne meldingen.",
        "Takk. Ha det bra.",
        "Vennligst trykk 1.",
    ),
    "pl": KeyPressWords(
        "Proszę nacisnąć 1, aby potwierdzić otrzymanie tej wiadomości.",
        "Dziękujemy. Do usłyszenia.",
        "Proszę nacisnąć 1.",
    ),
    "pt-BR": KeyPressWords(
        "Pressione 1 para confirmar que você recebeu esta mensagem.",
        "Agradecemos a confirmação. Até logo.",
        "Por favor, pressione 1.",
    ),
    "pt-PT": KeyPressWords(
        "Prima 1 para confirmar que recebeu esta mensagem.",
        "Agradecemos a confirmação. Adeus.",
        "Por favor, prima 1.",
    ),
    "ru": KeyPressWords(
        "Нажмите 1, чтобы подтвердить, что вы получили это сообщение.",
        "Спасибо. До свидания.",
        "Пожалуйста, нажмите 1.",
    ),
    "es": KeyPressWords(
        "Pulse 1 para confirmar que ha recibido este mensaje.",
        "Gracias. Adiós.",
        "Por favor, pulse 1.",
    ),
    "es-MX": KeyPressWords(
        "Presione 1 para confirmar que recibió este mensaje.",
        "Gracias. Hasta luego.",
        "Por favor, presione 1.",
    ),
    "sv": KeyPressWords(
        "Tryck på 1 för att bekräfta att du har fått det här meddelandet.",
        "Tack. Hej då.",
        "Tryck på 1, tack.",
    ),
}


def key_press_words(language_code: str) -> KeyPressWords:
    """Return the words for one of LANGUAGES, by its code."""
    return _WORDS.get(language_code) or _WORDS[language_code.partition("-")[0]]


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
    return Locale.parse(language, sep="-")
