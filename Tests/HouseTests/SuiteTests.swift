import Foundation
import Testing

/// `./test` runs modules of tests by their names: one that no suite names would never be run.
struct SuiteTests {
    @Test func everyModuleOfTestsStandsInASuite() throws {
        let script = try String(contentsOf: repository.appending(path: "test"), encoding: .utf8)
        let named = Set(
            script.split(whereSeparator: \.isNewline).filter { $0.contains(" unit \"") }
                .flatMap { $0.split { !($0.isLetter || $0.isNumber) } })
        let manifest = try String(contentsOf: repository.appending(path: "Package.swift"), encoding: .utf8)
        let modules = manifest.matches(of: /\.testTarget\(\s*name: "(\w+)"/).map(\.1)
        #expect(modules.count > 10)
        for module in modules { #expect(named.contains(module), "no suite of ./test runs \(module)") }
    }
}
