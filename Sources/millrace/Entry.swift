import MillraceCLI

@main
struct Entry {
    static func main() async { await Millrace.main() }
}
