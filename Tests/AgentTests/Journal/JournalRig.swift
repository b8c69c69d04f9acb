import Base
import Foundation
import Testing

@testable import Agent

/// A folder of journal files that `systemd-journal-remote` writes, and inputs that read it with the child of the tests.
final class JournalRig {
    struct Entry {
        var fields: [(name: String, value: [UInt8])]
        var realtime: UInt64

        init(_ message: String, unit: String? = nil, identifier: String? = nil, priority: Int = 6, number: Int) {
            fields = [("MESSAGE", Array(message.utf8)), ("PRIORITY", Array("\(priority)".utf8))]
            if let unit { fields.append(("_SYSTEMD_UNIT", Array(unit.utf8))) }
            if let identifier { fields.append(("SYSLOG_IDENTIFIER", Array(identifier.utf8))) }
            realtime = 1_700_000_000_000_000 + UInt64(number) * 1000
        }
    }

    let folder: String
    static let reader = "/lib/systemd/systemd-journal-remote"
    static let boot = "0123456789abcdef0123456789abcdef"

    init() throws {
        folder = NSTemporaryDirectory() + "journal-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The built child stands beside the test bundle.
    static let tool: String = {
        var arguments = [
            CommandLine.arguments[0],
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "",
        ]
        if let place = CommandLine.arguments.firstIndex(of: "--test-bundle-path") {
            arguments.append(CommandLine.arguments[place + 1])
        }
        for argument in arguments {
            var url = URL(fileURLWithPath: argument)
            while url.path.count > 1 {
                url.deleteLastPathComponent()
                let tool = url.appendingPathComponent("JournalReaderTool").path
                if FileManager.default.isExecutableFile(atPath: tool) { return tool }
            }
        }
        return "JournalReaderTool"
    }()

    /// The export format (systemd.io/JOURNAL_EXPORT_FORMATS).
    static func export(_ entries: [Entry]) -> Data {
        var data = Data()
        for entry in entries {
            data += Data("__REALTIME_TIMESTAMP=\(entry.realtime)\n".utf8)
            data += Data("__MONOTONIC_TIMESTAMP=\(entry.realtime - 1_699_999_000_000_000)\n_BOOT_ID=\(boot)\n".utf8)
            for (name, value) in entry.fields {
                data += Data(name.utf8)
                if value.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
                    data += [0x3D] + value + [0x0A]
                } else {
                    data += [0x0A]
                    withUnsafeBytes(of: UInt64(value.count).littleEndian) { data += $0 }
                    data += value + [0x0A]
                }
            }
            data += [0x0A]
        }
        return data
    }

    /// A process that writes what it is given into a journal file.
    final class Writer {
        private let process = Process()
        private let pipe = Pipe()

        init(file: String) throws {
            process.executableURL = URL(fileURLWithPath: JournalRig.reader)
            process.arguments = ["-o", file, "-"]
            process.standardInput = pipe
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
        }

        func write(_ entries: [Entry]) throws {
            try pipe.fileHandleForWriting.write(contentsOf: JournalRig.export(entries))
        }

        func finish() throws {
            try pipe.fileHandleForWriting.close()
            process.waitUntilExit()
        }
    }

    func write(_ entries: [Entry], to name: String = "a") throws {
        let writer = try Writer(file: "\(folder)/\(name).journal")
        try writer.write(entries)
        try writer.finish()
    }

    func settings() -> JournalInputSettings {
        var settings = JournalInputSettings(directory: folder)
        settings.readerCommand = [Self.tool]
        settings.restartDelay = .milliseconds(5)
        return settings
    }

    func input(_ settings: JournalInputSettings, after checkpoint: StreamCheckpoint? = nil) -> JournalInput {
        JournalInput(settings: settings, host: "web", checkpoints: checkpoint.map { [$0] } ?? []) { StreamID(7) }
    }

    /// What `journalctl -o json` says of the folder, a line for each entry.
    func journalctl(_ arguments: String...) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/journalctl")
        process.arguments = ["--directory", folder, "-o", "json", "--all", "--no-pager", "-q"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// What an input said.
struct JournalHarvest {
    var lines: [(key: String, line: String)] = []
    var events: [InputEvent] = []
    /// The position after the last line or event.
    var checkpoint: StreamCheckpoint?

    var messages: [String] { lines.map { journalObject($0.line)["MESSAGE"] as? String ?? "?" } }
    var gaps: [String] {
        events.compactMap { if case .gap(_, let detail) = $0 { detail } else { nil } }
    }

    /// Polls until `isEnough`, or until nothing came for so long.
    mutating func take(
        from input: JournalInput, quietMilliseconds: Int32 = 700,
        until isEnough: (JournalHarvest) -> Bool = { _ in false },
        each: (JournalInput) -> Void = { _ in }
    ) {
        let time = SystemTime()
        var deadline = time.now + .milliseconds(Int64(quietMilliseconds))
        while !isEnough(self), time.now < deadline {
            switch input.poll(now: time.now) {
            case .block(let block):
                var byte = 0
                _ = block.forEachLine {
                    lines.append((block.source.text, String(decoding: $0, as: UTF8.self)))
                    byte += $0.count + 1
                    return true
                }
                #expect(byte == block.byteCount)
                checkpoint = StreamCheckpoint(stream: block.stream, source: block.source, position: block.end)
                deadline = time.now + .milliseconds(Int64(quietMilliseconds))
                each(input)
            case .event(let event):
                events.append(event)
                if case .positioned(let position) = event { checkpoint = position }
            case .idle(let until, let wake):
                let rest = max(0, min((min(until, deadline) - time.now).milliseconds + 1, 50))
                var polled = pollfd(fd: wake ?? -1, events: Int16(POLLIN), revents: 0)
                poll(&polled, 1, Int32(rest))
            }
        }
    }
}

func journalObject(_ line: String) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:]
}
