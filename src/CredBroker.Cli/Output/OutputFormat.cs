namespace CredBroker.Cli.Output;

internal enum OutputFormat
{
    Table,
    Json,
    Yaml,
}
