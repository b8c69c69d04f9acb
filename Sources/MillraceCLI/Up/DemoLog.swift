import Base
import Events
import SystemPackage

/// Writes a combined access log as a small site would, for whoever has no nginx at hand.
struct DemoLog: Sendable {
    static let linesPerSecond = 50
    private static let paths = [
        "/", "/index.html", "/products/17", "/search?q=mill", "/login", "/static/site.css", "/missing",
    ]
    private static let agents = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "Googlebot/2.1"]

    let path: FilePath

    /// Appends lines until the task is cancelled.
    func write() async throws {
        let files = PosixFileSystem()
        try files.createDirectory(path.removingLastComponent())
        let file = try files.open(path, .create)
        defer { file.close() }
        var end = try file.status().size
        while !Task.isCancelled {
            var text = ""
            for _ in 0..<(Self.linesPerSecond / 10) { text += line(at: SystemTime().wallTime) }
            let bytes = Array(text.utf8)
            try bytes.withUnsafeBytes { try file.write($0, at: end) }
            end += Int64(bytes.count)
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func line(at time: Timestamp) -> String {
        let path = Self.paths.randomElement() ?? "/"
        let status = path == "/missing" ? 404 : Int.random(in: 0..<200) == 0 ? 500 : 200
        let address = "192.0.2.\(Int.random(in: 1...254))"
        let agent = Self.agents.randomElement() ?? "-"
        return
            "\(address) - - [\(Self.localTime(time))] \"GET \(path) HTTP/1.1\" \(status) \(Int.random(in: 100...9000)) \"-\" \"\(agent)\"\n"
    }

    /// `23/Nov/2026:07:00:01 +0000`, as nginx's `$time_local`.
    private static func localTime(_ time: Timestamp) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let civil = CivilTime(time)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(civil.day))/\(months[civil.month - 1])/\(civil.year):\(two(civil.hour)):\(two(civil.minute)):"
            + "\(two(civil.second)) +0000"
    }
}
