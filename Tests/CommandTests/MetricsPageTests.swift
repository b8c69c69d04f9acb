import Foundation
import MillraceCLI
import Testing

private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite struct MetricsPageIsTrue {
    @Test func thePageIsWhatTheDeclarationsGive() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/metrics.md"), encoding: .utf8)
        #expect(page == MetricsPage.text, "run: .build/debug/millrace metrics > docs/metrics.md")
    }

    @Test func namesKeepPrometheusConventions() {
        let metrics = MetricsPage.metrics
        #expect(Set(metrics.map(\.name)).count == metrics.count, "a name is declared twice")
        for metric in metrics {
            #expect(metric.name.wholeMatch(of: /millrace_[a-z][a-z0-9_]*/) != nil, "\(metric.name)")
            #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
            #expect(metric.help.hasSuffix(".") && !metric.help.contains("|"), "\(metric.name)")
        }
    }

    /// A name that stands anywhere else in the sources is counted without a declaration, and one that no list holds is on no page.
    @Test func nothingIsCountedThatIsNotDeclared() throws {
        let declared = Set(MetricsPage.metrics.map(\.name))
        let files = FileManager.default.enumerator(
            at: repository.appending(path: "Sources"), includingPropertiesForKeys: nil)
        var found: Set<String> = []
        for file in (files?.compactMap { $0 as? URL } ?? []) where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            let names = text.matches(of: /"(millrace_[a-z0-9_]+)"/).map { String($0.1) }
            if file.lastPathComponent.hasSuffix("Metrics.swift") {
                found.formUnion(names)
            } else {
                #expect(names.isEmpty, "\(file.lastPathComponent): declare \(names) in the module's …Metrics.swift")
            }
        }
        #expect(found == declared, "declared, but in no `all`: \(found.symmetricDifference(declared))")
    }
}
