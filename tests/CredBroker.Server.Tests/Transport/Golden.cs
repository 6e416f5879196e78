namespace CredBroker.Server.Tests.Transport;

/// <summary>Files of the repository that are made from code: held against it here, and written anew with CREDBROKER_UPDATE_GOLDEN=1.</summary>
internal static class Golden
{
    public static void Holds(string path, string expected)
    {
        var file = Path.Combine(Root, path);
        if (Environment.GetEnvironmentVariable("CREDBROKER_UPDATE_GOLDEN") == "1") File.WriteAllText(file, expected);
        Assert.That(File.Exists(file) ? File.ReadAllText(file) : "", Is.EqualTo(expected), $"{path} is out of date: run the tests with CREDBROKER_UPDATE_GOLDEN=1");
    }

    /// <summary>The repository's folder.</summary>
    public static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "CredBroker.sln"))) folder = folder.Parent;
            return folder.FullName;
        }
    }
}
