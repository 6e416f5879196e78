namespace CredBroker.Manifests;

/// <summary>Tables of tests for policies lie beside manifests, and are none.</summary>
public static class TestTables
{
    /// <summary>Whether a file is one, by its name: <c>*.test.yaml</c> or <c>*.test.yml</c>.</summary>
    public static bool IsOne(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.EndsWith(".test.yaml", StringComparison.Ordinal) || file.EndsWith(".test.yml", StringComparison.Ordinal);
    }
}
