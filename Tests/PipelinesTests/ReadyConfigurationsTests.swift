import Base
import Events
import Foundation
import Settings
import SystemPackage
import Testing

@testable import Pipelines

/// Every folder below `pipelines/` holds a README, a pipeline that compiles, and sample input that it understands.
@Suite struct ReadyConfigurationsTests {
    private static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "pipelines")

    static let names: [String] = (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? []

    @Test func thereAreSome() { #expect(Self.names.contains("nginx-to-jsonl")) }

    @Test(arguments: names)
    func compilesAndUnderstandsItsSample(name: String) throws {
        let folder = Self.folder.appending(path: name)
        let node = try SettingsFile.load(
            FilePath(folder.appending(path: "pipeline.yaml").path), fileSystem: PosixFileSystem(), environment: [:])
        let settings = try PipelineSettings(yaml: node)
        #expect(settings.name == name)
        #expect(!settings.tests.isEmpty)
        for test in settings.tests {
            let problem = test.problem(in: settings)
            #expect(problem == nil, "\(name): \(test.name): \(problem ?? "")")
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.contains("README.md"))
        let sample = try #require(files.first { $0.hasPrefix("sample.") })
        let lines = try String(contentsOf: folder.appending(path: sample), encoding: .utf8).split(separator: "\n")
        #expect(!lines.isEmpty)
        for line in lines {
            guard case .row(let event, let time) = settings.steps.outcome(of: Array(line.utf8)) else {
                Issue.record("\(name): no row: \(line)")
                continue
            }
            #expect(event["_error"].isNull, "\(name): \(event.json)")
            // Lines that nobody parses have the record's time.
            if settings.steps.parser is RawLineParser {
                #expect(time == nil && event["line"] == .string(String(line)))
            } else {
                #expect((time ?? .none) > Timestamp(milliseconds: 1_700_000_000_000), "\(name): \(line)")
            }
        }
    }
}

extension Steps {
    /// What becomes of a line, with a copy of its row.
    enum TestOutcome: Equatable {
        case row(Event, time: Timestamp?)
        case filteredOut
        case dropped(reason: String)
        case deadLetter(StepFailure)
    }

    func outcome(
        of line: [UInt8], recordHash: UInt64 = 1, arrival: Timestamp = .none, memory: StepMemory = StepMemory()
    ) -> TestOutcome {
        var row = Row()
        return line.withUnsafeBytes { bytes in
            switch apply(to: bytes, recordHash: recordHash, arrival: arrival, memory: memory, row: &row) {
            case .row(let time): .row(row.event, time: time)
            case .filteredOut: .filteredOut
            case .dropped(let reason): .dropped(reason: reason)
            case .deadLetter(let failure): .deadLetter(failure)
            }
        }
    }
}
