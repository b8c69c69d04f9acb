import Foundation
import Testing

@Suite struct ConsoleAssets {
    @Test func theGeneratedFileIsWhatTheAssetsGive() throws {
        let check = Process()
        check.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        check.arguments = ["python3", repository.appending(path: "scripts/console-assets").path, "--check"]
        try check.run()
        check.waitUntilExit()
        #expect(check.terminationStatus == 0, "run scripts/console-assets")
    }

    /// The policy of the page forbids inline code and foreign addresses; the files must not need them, nor make markup of text.
    @Test func theAssetsNeedNothingThatThePolicyForbids() throws {
        let folder = repository.appending(path: "Sources/Console/Assets")
        let files =
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        #expect(files.count > 10)
        for file in files where ["html", "css", "js", "svg"].contains(file.pathExtension) {
            let text = try String(contentsOf: file, encoding: .utf8).replacingOccurrences(
                of: "http://www.w3.org/2000/svg", with: "")
            for forbidden in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://",
                " style=\"", " onclick=\"",
            ] {
                #expect(!text.contains(forbidden), "\(file.lastPathComponent) holds \(forbidden)")
            }
        }
    }
}
