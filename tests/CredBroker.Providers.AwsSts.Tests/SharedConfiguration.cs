namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>Where this process's user keeps AWS's shared configuration: in an empty folder, whatever the machine's own user has.</summary>
[SetUpFixture]
public sealed class SharedConfiguration
{
    public static string Folder { get; private set; } = "";

    [OneTimeSetUp]
    public void SetUp()
    {
        Folder = Directory.CreateTempSubdirectory("aws-shared-").FullName;
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", Path.Combine(Folder, "credentials"));
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", Path.Combine(Folder, "config"));
    }

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(Folder, recursive: true);
}
