import AgentCommands
import Foundation
import MillraceCLI
import Pipelines
import Settings
import Testing

private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

private func files(_ folder: String, _ name: String) throws -> [String] {
    let root = repository.appending(path: folder)
    return try FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil).sorted {
        $0.path < $1.path
    }
    .map { $0.appending(path: name).path }.filter { FileManager.default.fileExists(atPath: $0) }
}

/// Every ready configuration passes the validator that the commands use, and stands with a README.
@Suite struct ReadyConfigurations {
    @Test func agents() throws {
        let all = try files("agents", "agent.yaml")
        #expect(all.count >= 3)
        for file in all {
            #expect(throws: Never.self, "\(file)") { try validateAgentSettings(try loadSettings(file)) }
            let readme = URL(fileURLWithPath: file).deletingLastPathComponent().appending(path: "README.md")
            #expect(FileManager.default.fileExists(atPath: readme.path), "\(readme.path)")
        }
    }

    @Test func pipelines() throws {
        let all = try files("pipelines", "pipeline.yaml")
        #expect(all.count >= 2)
        for file in all {
            #expect(throws: Never.self, "\(file)") { _ = try PipelineSettings(yaml: try loadSettings(file)) }
            let readme = URL(fileURLWithPath: file).deletingLastPathComponent().appending(path: "README.md")
            #expect(FileManager.default.fileExists(atPath: readme.path), "\(readme.path)")
        }
    }
}
