/// What a `User-Agent` header tells: the families that make up nearly all of a web server's log, by a table of our own.
///
/// A header is the client's word, and browsers name each other in it: rules are tried in the order in which one that pretends comes before what it pretends to be.
struct UserAgent: Equatable {
    enum Device: String {
        case desktop, mobile, tablet
        /// A crawler or another program that reads pages for somebody.
        case bot
        /// A library, a command or a probe.
        case tool
    }

    /// Nil where it is none that is known.
    var family: String?
    /// Major and minor number.
    var version: String?
    var system: String?
    var device: Device?

    private static let textBytesMax = 1024

    /// What names a family, and its text before the version.
    private static let browsers: [(mark: String, family: String)] = [
        ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("Edg/", "Edge"), ("Edge/", "Edge"), ("OPR/", "Opera"),
        ("OPiOS/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("YaBrowser/", "Yandex Browser"),
        ("Vivaldi/", "Vivaldi"), ("UCBrowser/", "UC Browser"), ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("MSIE ", "Internet Explorer"),
        ("Trident/7.0; rv:", "Internet Explorer"), ("Opera/", "Opera"),
    ]

    private static let tools: [(mark: String, family: String)] = [
        ("curl/", "curl"), ("Wget/", "Wget"), ("python-requests/", "python-requests"), ("Python-urllib/", "urllib"),
        ("aiohttp/", "aiohttp"), ("python-httpx/", "HTTPX"), ("Go-http-client/", "Go"), ("okhttp/", "OkHttp"),
        ("Java/", "Java"), ("Apache-HttpClient/", "Apache HttpClient"), ("axios/", "axios"),
        ("node-fetch/", "node-fetch"),
        ("undici", "undici"), ("PostmanRuntime/", "Postman"), ("HTTPie/", "HTTPie"), ("libwww-perl/", "libwww-perl"),
        ("Ruby", "Ruby"), ("Prometheus/", "Prometheus"), ("kube-probe/", "kube-probe"), ("ELB-HealthChecker/", "ELB"),
        ("GoogleHC/", "Google health check"), ("check_http/", "check_http"), ("git/", "git"),
        ("Debian APT-HTTP/", "APT"),
        ("ApacheBench/", "ApacheBench"), ("wrk/", "wrk"),
    ]

    private static let bots: [(mark: String, family: String)] = [
        ("Googlebot", "Googlebot"), ("AdsBot-Google", "AdsBot"), ("bingbot/", "bingbot"), ("YandexBot/", "YandexBot"),
        ("Baiduspider/", "Baiduspider"), ("DuckDuckBot/", "DuckDuckBot"), ("Applebot/", "Applebot"),
        ("AhrefsBot/", "AhrefsBot"), ("SemrushBot/", "SemrushBot"), ("MJ12bot/", "MJ12bot"), ("DotBot/", "DotBot"),
        ("PetalBot", "PetalBot"), ("GPTBot/", "GPTBot"), ("ClaudeBot/", "ClaudeBot"), ("CCBot/", "CCBot"),
        ("Bytespider", "Bytespider"), ("facebookexternalhit/", "facebookexternalhit"), ("Twitterbot/", "Twitterbot"),
        ("LinkedInBot/", "LinkedInBot"), ("Slackbot", "Slackbot"), ("TelegramBot", "TelegramBot"),
        ("UptimeRobot/", "UptimeRobot"), ("Amazonbot/", "Amazonbot"), ("Slurp", "Slurp"),
        ("HeadlessChrome/", "HeadlessChrome"),
    ]

    init(_ header: String) {
        let text = header.utf8.count <= Self.textBytesMax ? header : String(header.prefix(Self.textBytesMax))
        (system, device) = Self.system(of: text)
        if let (family, rest) = Self.first(Self.bots, in: text) {
            self.family = family
            version = Self.version(of: rest)
            device = .bot
        } else if text.lowercased().contains(where: ["bot/", "bot;", "bot)", "crawler", "spider", "+http"]) {
            family = Self.firstProduct(of: text)
            device = .bot
        } else if let (family, rest) = Self.first(Self.tools, in: text) {
            self.family = family
            version = Self.version(of: rest)
            device = .tool
        } else if let (family, rest) = Self.first(Self.browsers, in: text) {
            self.family = family
            version = Self.version(of: rest)
        } else if text.contains("Safari/"), let rest = Self.after("Version/", in: text) {
            family = "Safari"
            version = Self.version(of: rest)
        } else if text.contains("AppleWebKit/"), system == "iOS" || system == "iPadOS" {
            family = "WebKit"
        }
    }

    private static func first(
        _ table: [(mark: String, family: String)], in text: String
    ) -> (family: String, rest: Substring)? {
        for (mark, family) in table {
            if let rest = after(mark, in: text) { return (family, rest) }
        }
        return nil
    }

    private static func after(_ mark: String, in text: String) -> Substring? {
        text.firstRange(of: mark).map { text[$0.upperBound...] }
    }

    /// `120.0` of `120.0.6099.109 Safari/…`; a bot's may stand behind a slash.
    private static func version(of rest: Substring) -> String? {
        let start = rest.first == "/" ? rest.dropFirst() : rest
        let parts = start.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".").prefix(2)
        return parts.isEmpty ? nil : parts.joined(separator: ".")
    }

    /// The name before the first slash that is no browser's: `ExampleBot` of `Mozilla/5.0 (compatible; ExampleBot/1.0)`.
    private static func firstProduct(of text: String) -> String? {
        let words = text.split { " ();,".contains($0) }
        let word = words.first { word in
            let lower = word.lowercased()
            return ["bot", "crawl", "spider"].contains { lower.contains($0) } && !lower.hasPrefix("+")
        }
        return (word ?? words.first).map { String($0.prefix { $0 != "/" }.prefix(64)) }
    }

    private static func system(of text: String) -> (String?, Device?) {
        if text.contains("iPhone") || text.contains("iPod") { return ("iOS", .mobile) }
        if text.contains("iPad") { return ("iPadOS", .tablet) }
        if text.contains("Windows Phone") { return ("Windows Phone", .mobile) }
        if text.contains("Android") { return ("Android", text.contains("Mobile") ? .mobile : .tablet) }
        if text.contains("Windows") { return ("Windows", .desktop) }
        if text.contains("Macintosh") || text.contains("Mac OS X") { return ("macOS", .desktop) }
        if text.contains("CrOS") { return ("ChromeOS", .desktop) }
        if text.contains("Linux") || text.contains("X11") { return ("Linux", .desktop) }
        return (nil, nil)
    }
}

extension String {
    fileprivate func contains(where parts: [String]) -> Bool { parts.contains { self.firstRange(of: $0) != nil } }

    fileprivate func firstRange(of part: String) -> Range<String.Index>? {
        let (text, wanted) = (utf8, Array(part.utf8))
        guard let first = wanted.first else { return nil }
        var place = text.startIndex
        while let start = text[place...].firstIndex(of: first) {
            if text[start...].starts(with: wanted) { return start..<text.index(start, offsetBy: wanted.count) }
            place = text.index(after: start)
        }
        return nil
    }
}
