import Testing

@testable import Pipelines

@Suite struct UserAgentTests {
    @Test(arguments: [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.109 Safari/537.36",
            "Chrome 120.0 Windows desktop"
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91",
            "Edge 120.0 Windows desktop"
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15",
            "Safari 17.2 macOS desktop"
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1",
            "Chrome 120.0 iOS mobile"
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox 121.0 Linux desktop"),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36",
            "Samsung Internet 23.0 Android tablet"
        ),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11.0 Windows desktop"),
        (
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.109 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Googlebot 2.1 Android bot"
        ),
        ("Mozilla/5.0 (compatible; ExampleBot/1.0; +https://example.com)", "ExampleBot - - bot"),
        ("curl/7.88.1", "curl 7.88 - tool"), ("Prometheus/2.42.0", "Prometheus 2.42 - tool"), ("-", "- - - -"),
        ("", "- - - -"),
    ])
    func theFamiliesThatMatter(header: String, wanted: String) {
        let agent = UserAgent(header)
        let parts = [agent.family, agent.version, agent.system, agent.device?.rawValue].map { $0 ?? "-" }
        #expect(parts.joined(separator: " ") == wanted)
    }

    @Test func aHeaderOfAnyLengthIsLookedAtToItsLimit() {
        let long = String(repeating: "Mozilla/5.0 (x) ", count: 100_000)
        #expect(UserAgent(long + "Firefox/1.0") == UserAgent(long))
    }
}
