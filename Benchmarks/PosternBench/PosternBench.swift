@main struct PosternBench { static func main() {} }
