import Foundation
import Testing

/// The repository's root, found from this file's own place.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// One row of the table in docs/architecture.md: a module and what it may import.
struct HouseRow {
    var module: String
    var imports: Set<String>
}

func houseTable() throws -> [HouseRow] {
    let page = try String(contentsOf: repository.appending(path: "docs/architecture.md"), encoding: .utf8)
    var rows: [HouseRow] = []
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
        let cells = line.split(separator: "|", omittingEmptySubsequences: true).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard cells.count == 3 else { continue }
        let imports = cells[2].split(whereSeparator: { ",;".contains($0) })
            .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `–")) }.filter { !$0.isEmpty }
        for module in cells[0].split(separator: ",") {
            let name = module.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
            rows.append(HouseRow(module: name, imports: Set(imports)))
        }
    }
    return rows
}

/// What every module may import: the standard library and the C library.
private let everywhere: Set<String> = [
    "Glibc", "Synchronization", "Dispatch", "FoundationEssentials", "Swift", "_Builtin_stdbool",
]

private func swiftFiles(below folder: URL) -> [URL] {
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
}

@Suite struct ImportTable {
    @Test func everyModuleImportsOnlyWhatItsRowAllows() throws {
        let table = Dictionary(uniqueKeysWithValues: try houseTable().map { ($0.module, $0.imports) })
        #expect(table.count > 15, "the table in docs/architecture.md was not found")
        let sources = repository.appending(path: "Sources")
        for folder in try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil) {
            let module = folder.lastPathComponent
            guard let allowed = table[module] else {
                Issue.record("module \(module) has no row in docs/architecture.md")
                continue
            }
            for file in swiftFiles(below: folder) {
                for imported in try importedModules(file)
                where !allowed.contains(imported) && !everywhere.contains(imported) {
                    Issue.record(
                        "\(module)/\(file.lastPathComponent) imports \(imported), which its row does not allow")
                }
            }
        }
    }

    @Test func importsLeadDownward() throws {
        let rows = try houseTable()
        let place = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.module, $0) })
        for row in rows {
            for imported in row.imports {
                guard let below = place[imported], let own = place[row.module] else { continue }
                #expect(below < own, "\(row.module) stands above \(imported) in the table, yet imports it")
            }
        }
    }

    private func importedModules(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first,
                first.hasPrefix("@") || ["public", "package", "internal", "private"].contains(first)
            {
                words.removeFirst()
            }
            guard words.first == "import", words.count >= 2 else { return nil }
            let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
            // The console's scripts stand in a Swift file too; what they import begins with a brace or a star.
            guard name.first?.isLetter == true else { return nil }
            return name.split(separator: ".").first.map(String.init)
        }
    }
}
