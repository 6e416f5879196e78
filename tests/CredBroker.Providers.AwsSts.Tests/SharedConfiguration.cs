using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>Where this process's user keeps AWS's shared configuration: in an empty folder, from the start, since the SDK asks for the place only once.</summary>
[SetUpFixture]
public sealed class SharedConfiguration
{
    public static string Folder { get; private set; } = "";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries", Justification = "Looking for tests asks the SDK before any test is set up.")]
    internal static void Initialize()
    {
        Folder = Directory.CreateTempSubdirectory("aws-shared-").FullName;
        Place("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        Place("AWS_CONFIG_FILE", "config");
    }

    // A file that is not there when the SDK first asks is not looked for again.
    private static void Place(string variable, string file)
    {
        var path = Path.Combine(Folder, file);
        File.WriteAllText(path, "");
        Environment.SetEnvironmentVariable(variable, path);
    }

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(Folder, recursive: true);
}
