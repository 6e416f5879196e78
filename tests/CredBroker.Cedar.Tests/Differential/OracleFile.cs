namespace CredBroker.Cedar.Tests.Differential;

/// <summary>Where the official implementation lies. <c>tests/cedar-oracle.sh</c> fetches it.</summary>
internal static class OracleFile
{
    /// <summary>Names the module's file, where it is not where the script leaves it.</summary>
    public const string Variable = "CREDBROKER_TEST_CEDAR_WASM";

    /// <summary>Said where it is missing.</summary>
    public const string Missing = $"The official implementation is not there. Run tests/cedar-oracle.sh (it needs npm), or name cedar_wasm_bg.wasm in {Variable}.";

    /// <summary>The module's file, or null.</summary>
    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return File.Exists(named) ? named : throw new FileNotFoundException($"{Variable} names a file that is not there.", named);
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, ".oracle");
            if (Directory.Exists(folder) && Directory.EnumerateFiles(folder, "cedar-*.wasm").FirstOrDefault() is { } path)
                return path;
        }
        return null;
    }
}
