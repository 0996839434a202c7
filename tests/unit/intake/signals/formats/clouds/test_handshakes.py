"""Where a subscription may be confirmed: at SNS, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.compat.webhook_handshakes import URL_MAX, may_confirm

HOST = "sns.eu-west-3.amazonaws.com"
QUERY = (
    "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-3:1:desk&Token=2336412f"
)


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        f"{HOST}:443",
        "sns.us-east-1.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.ap-southeast-2.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
        "sns.cn-northwest-1.amazonaws.com.cn",
    ],
)
def test_sns_may_be_asked_to_confirm(host: str) -> None:
    assert may_confirm(f"https://{host}{QUERY}")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "[::1]",
        "2130706433",
        "0x7f000001",
        "169.254.169.254",
        "localhost",
        "example.org",
        f"me@{HOST}",
        f"me:secret@{HOST}",
        f"{HOST}@127.0.0.1",
        f"{HOST}:80@127.0.0.1",
        f"{HOST}:80",
        f"{HOST}:8443",
        f"{HOST}:",
        f"{HOST}:0443",
        f"{HOST}.",
        f"{HOST}.example.org",
        f"{HOST}.cn",
        f"x.{HOST}",
        f"evil{HOST}",
        f"evil-{HOST}",
        "sns.cn-north-1.amazonaws.com.cn.example.org",
        "sns.eu-west-3.amazonaws.com.evil",
        "sns.evil.amazonaws.com",
        "sns.eu-west-3.example.amazonaws.com",
        "sns..amazonaws.com",
        "amazonaws.com",
        "snsXeu-west-3.amazonaws.com",
        "sns.eu-west-3.amazonawsXcom",
        "s3.eu-west-3.amazonaws.com",
        "SNS.EU-WEST-3.AMAZONAWS.COM",
        "sns。eu-west-3。amazonaws。com",
        "sns.eu-west-3.amazonaws.com\uff0fx",
        "sns.eu-west-\u0663.amazonaws.com",
        "sns.eu-west-3.amazonaws.com\u2024evil",
        "\u017fns.eu-west-3.amazonaws.com",
        f"127.0.0.1\\@{HOST}",
        f"{HOST}\\.example.org",
        f"{HOST}#@127.0.0.1",
        f"127.0.0.1#{HOST}",
        f"127.0.0.1/?{HOST}",
        f"{HOST} ",
        f" {HOST}",
        f"{HOST}\t",
        f"{HOST}%00",
        f"{HOST}%2eexample.org",
    ],
)
def test_no_other_host_however_it_is_dressed(host: str) -> None:
    assert not may_confirm(f"https://{host}{QUERY}")


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{QUERY}",
        f"HTTPS://{HOST}{QUERY}",
        f"ftp://{HOST}{QUERY}",
        f"file://{HOST}{QUERY}",
        f"//{HOST}{QUERY}",
        f"https:/{HOST}{QUERY}",
        f"https:\\\\{HOST}{QUERY}",
        f" https://{HOST}{QUERY}",
        f"https://{HOST}{QUERY}\n",
        f"https://{HOST}{QUERY}\nhttps://127.0.0.1/",
        f"https://{HOST}{QUERY}#there",
        f"https://{HOST}{QUERY}{'x' * URL_MAX}",
        f"https://{HOST}",
        f"https://{HOST}/",
        f"https://{HOST}/x{QUERY}",
        f"https://{HOST}/?Action=Unsubscribe&SubscriptionArn=a",
        f"https://{HOST}/?Action=ConfirmSubscription&Action=Unsubscribe",
        f"https://{HOST}/?Action=ConfirmSubscription&action=Unsubscribe",
        f"https://{HOST}/?Action=ConfirmSubscription&%41ction=Unsubscribe",
        "",
        "data:,",
    ],
)
def test_no_other_way_to_ask_and_nothing_else_to_ask_for(url: str) -> None:
    assert not may_confirm(url)


@given(st.text(), st.text(max_size=20))
def test_whatever_stands_before_the_query_must_be_all_of_sns(
    host: str, more: str
) -> None:
    assert not may_confirm(f"https://{host}{QUERY}") or host == HOST
    assert may_confirm(f"https://{HOST}{more}{QUERY}") is (more in {"", ":443"})
