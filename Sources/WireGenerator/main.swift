import Glibc
import WireSchema

let usage = """
    usage: WireGenerator [--check] [--root FOLDER]

    Writes Sources/KafkaWire/Generated from Schemas, in FOLDER or here. With --check it only says what is not current, and
    exits 1 where anything is not.
    """

var isCheck = false
var root = "."
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--check": isCheck = true
    case "--root":
        guard let folder = arguments.popFirst() else { fail("--root needs a folder\n\(usage)", status: 64) }
        root = folder
    case "--help", "-h":
        print(usage)
        exit(0)
    default: fail("unknown argument \(argument)\n\(usage)", status: 64)
    }
}

func fail(_ message: String, status: Int32) -> Never {
    let text = Array("WireGenerator: \(message)\n".utf8)
    _ = write(STDERR_FILENO, text, text.count)
    exit(status)
}

do {
    let schemas = try Folder.files(below: Generator.inputFolder, root: root)
    guard !schemas.isEmpty else { fail("no schemas in \(root)/\(Generator.inputFolder)", status: 66) }
    let changes = try Changes(wanted: Generator.generate(from: schemas), root: root)
    if isCheck {
        if changes.isEmpty { exit(0) }
        fail("not current: \(changes.description)\nrun `swift run WireGenerator`", status: 1)
    }
    try changes.apply(root: root)
    print(changes.isEmpty ? "already current" : "wrote \(changes.description)")
} catch {
    fail("\(error)", status: 1)
}
