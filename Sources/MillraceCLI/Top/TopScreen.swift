import Base
import Console

/// `millrace top` as lines of text: a pure function of what is watched and of the screen's size.
struct TopScreen {
    var columns: Int
    /// Nil where all of it is wanted, as in a file.
    var rows: Int?
    var isColored: Bool
    var clusterName: String

    enum Emphasis: String {
        case bold = "1"
        case dim = "2"
        case alarm = "1;31"
    }

    private struct Section {
        var title: String
        var headings: [String]
        /// Which column takes what is left of the width; the others are as wide as what stands in them.
        var flexible: Int
        var rightAligned: Set<Int>
        var rows: [[String]]
        var alarming: Set<Int> = []
        /// Said where there are no rows.
        var empty: String
    }

    /// Never more than `rows` lines, none wider than `columns`.
    func lines(_ watched: WatchedCluster) -> [String] {
        let sections = [agents(watched), sources(watched), topics(watched), groups(watched)]
        var lines = [colored(fitted(heading(watched)), .bold)]
        if let trouble = watched.trouble {
            lines.append(colored(fitted("cluster: " + TerminalText.harmless(trouble)), .alarm))
        }
        let shares = share(sections, linesLeft: rows.map { max(0, $0 - lines.count) })
        for (section, share) in zip(sections, shares) where share.isShown {
            lines.append("")
            lines += draw(section, rowsMax: share.rows)
        }
        return rows.map { Array(lines.prefix($0)) } ?? lines
    }

    private func heading(_ watched: WatchedCluster) -> String {
        let brokers = watched.brokers == 1 ? "1 broker" : "\(watched.brokers) brokers"
        var text = "millrace top  \(TerminalText.harmless(clusterName))  \(brokers)"
        text += "  \(Self.number(Int64(watched.linesPerSecond))) lines/s"
        if let bytes = watched.bytesPerSecond { text += "  \(Self.bytes(Int64(bytes)))/s" }
        return text
    }

    // MARK: Sections

    private func agents(_ watched: WatchedCluster) -> Section {
        let sorted = watched.agents.sorted {
            ($0.isSilent || $0.isStalled ? 0 : 1, -$0.unreadBytes, $0.name)
                < ($1.isSilent || $1.isStalled ? 0 : 1, -$1.unreadBytes, $1.name)
        }
        let reason = watched.statusTrouble.map { " (\($0))" } ?? ""
        var section = Section(
            title: "AGENTS", headings: ["AGENT", "STATE", "SOURCES", "UNREAD", "PENDING", "LAST ERROR"], flexible: 5,
            rightAligned: [2, 3, 4], rows: [], empty: "no agent has reported yet" + reason)
        for (index, agent) in sorted.enumerated() {
            section.rows.append([
                agent.name, agent.isSilent ? "silent" : agent.isStalled ? "stalled" : "ok", "\(agent.sources)",
                Self.bytes(agent.unreadBytes), "\(agent.pendingBatches)", agent.lastError ?? "",
            ])
            if agent.isSilent || agent.isStalled { section.alarming.insert(index) }
        }
        return section
    }

    private func sources(_ watched: WatchedCluster) -> Section {
        let streams = watched.agents.flatMap(\.streams).sorted {
            (-($0.unread ?? 0), $0.source, $0.place) < (-($1.unread ?? 0), $1.source, $1.place)
        }
        return Section(
            title: "SOURCES", headings: ["SOURCE", "UNREAD", "OFFSET"], flexible: 0, rightAligned: [1, 2],
            rows: streams.map { [$0.source, $0.unread.map { Self.bytes($0) } ?? "-", "\($0.offset)"] },
            empty: "no source has been reported yet")
    }

    private func topics(_ watched: WatchedCluster) -> Section {
        let sorted = watched.topics.filter { !$0.isInternal }.sorted {
            (-$0.linesPerSecond, $0.name) < (-$1.linesPerSecond, $1.name)
        }
        var section = Section(
            title: "TOPICS", headings: ["TOPIC", "PARTITIONS", "RECORDS", "SIZE", "LINES/S"], flexible: 0,
            rightAligned: [1, 2, 3, 4], rows: [], empty: "no topic exists yet")
        for (index, topic) in sorted.enumerated() {
            section.rows.append([
                topic.name,
                topic.leaderless > 0 ? "\(topic.partitions) (\(topic.leaderless) offline)" : "\(topic.partitions)",
                Self.number(topic.records), topic.bytes.map { Self.bytes($0) } ?? "-",
                Self.number(Int64(topic.linesPerSecond)),
            ])
            if topic.leaderless > 0 { section.alarming.insert(index) }
        }
        return section
    }

    private func groups(_ watched: WatchedCluster) -> Section {
        let sorted = watched.groups.sorted { (-$0.lag, $0.name) < (-$1.lag, $1.name) }
        return Section(
            title: "GROUPS AND PIPELINES", headings: ["GROUP", "STATE", "LAG", "DELAY", "TOPICS"], flexible: 4,
            rightAligned: [2, 3],
            rows: sorted.map {
                [
                    $0.name, $0.state, Self.number($0.lag), Self.seconds($0.delaySeconds),
                    $0.topics.joined(separator: " "),
                ]
            },
            empty: "no group has committed an offset yet")
    }

    // MARK: Drawing

    private struct Share {
        var isShown: Bool
        var rows: Int
    }

    /// A blank, the headings and at least one row for each; what is left goes round, a row at a time.
    private func share(_ sections: [Section], linesLeft: Int?) -> [Share] {
        let wanted = sections.map { max(1, $0.rows.count) }
        guard var left = linesLeft else { return wanted.map { Share(isShown: true, rows: $0) } }
        var shares: [Share] = []
        for _ in sections {
            let isShown = left >= 3
            shares.append(Share(isShown: isShown, rows: isShown ? 1 : 0))
            if isShown { left -= 3 }
        }
        while left > 0 {
            let before = left
            for index in shares.indices where shares[index].isShown && shares[index].rows < wanted[index] && left > 0 {
                shares[index].rows += 1
                left -= 1
            }
            if left == before { break }
        }
        return shares
    }

    private func draw(_ section: Section, rowsMax: Int) -> [String] {
        guard !section.rows.isEmpty else {
            return [
                colored(fitted(section.title), .bold), colored(fitted(TerminalText.harmless(section.empty)), .dim),
            ]
        }
        let shown = section.rows.prefix(rowsMax).map { $0.map(TerminalText.harmless) }
        var headings = section.headings
        let hidden = section.rows.count - shown.count
        if hidden > 0 { headings[0] += " (\(shown.count) of \(section.rows.count))" }
        let widths = widths(section, headings, shown)
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map {
                TerminalText.fitted(cells[$0], to: widths[$0], right: section.rightAligned.contains($0))
            }
            return fitted(padded.joined(separator: "  "))
        }
        var lines = [colored(line(headings), .bold)]
        for (index, cells) in shown.enumerated() {
            let text = line(cells)
            lines.append(section.alarming.contains(index) ? colored(text, .alarm) : text)
        }
        return lines
    }

    /// What each column needs; the flexible one gets what is left, the first gives way where even that is too little.
    private func widths(_ section: Section, _ headings: [String], _ rows: [[String]]) -> [Int] {
        var widths = headings.indices.map { index in
            (rows.map { $0[index] } + [headings[index]]).map(TerminalText.width).max() ?? 0
        }
        let gaps = 2 * (widths.count - 1)
        let others = widths.indices.filter { $0 != section.flexible }.reduce(gaps) { $0 + widths[$1] }
        widths[section.flexible] = min(widths[section.flexible], max(8, columns - others))
        let over = widths.reduce(gaps, +) - columns
        if over > 0 { widths[0] = max(8, widths[0] - over) }
        return widths
    }

    /// Without the spaces at the end, and never wider than the screen.
    private func fitted(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return TerminalText.width(text) > columns ? TerminalText.fitted(text, to: columns) : text
    }

    private func colored(_ text: String, _ emphasis: Emphasis) -> String {
        isColored && !text.isEmpty ? "\u{1b}[\(emphasis.rawValue)m\(text)\u{1b}[0m" : text
    }

    // MARK: Numbers

    static func number(_ number: Int64) -> String {
        for (name, size) in [("G", Int64(1_000_000_000)), ("M", 1_000_000), ("k", 1000)] where number >= size * 10 {
            let tenths = number / (size / 10)
            return "\(tenths / 10).\(tenths % 10)\(name)"
        }
        return "\(number)"
    }

    static func bytes(_ bytes: Int64) -> String {
        for (name, shift) in [("TiB", Int64(40)), ("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 1 << shift {
            let tenths = (bytes >> (shift - 10)) * 10 / 1024
            return "\(tenths / 10).\(tenths % 10) \(name)"
        }
        return "\(bytes) B"
    }

    static func seconds(_ seconds: Double) -> String {
        if seconds < 10 { return "\((seconds * 10).rounded(.down) / 10) s" }
        let whole = Int(min(seconds, 3.15e9))
        if whole >= 86_400 { return "\(whole / 86_400) d \(whole / 3600 % 24) h" }
        if whole >= 3600 { return "\(whole / 3600) h \(whole / 60 % 60) min" }
        return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
    }
}
