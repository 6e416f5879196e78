using CredBroker.Server.Configuration;
using Microsoft.Extensions.Logging.Console;

namespace CredBroker.Server.Hosting;

/// <summary>What is logged, and how.</summary>
internal static class LoggingSetup
{
    // What the frameworks say of each request and statement is noise to an operator, unless he asks for everything.
    private static readonly string[] Frameworks = ["Microsoft", "System", "Grpc", "Quartz", "Npgsql", "OpenTelemetry"];

    public static void AddBrokerLogging(this ILoggingBuilder logging, LoggingConfiguration configuration)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(configuration.Level);
        foreach (var framework in Frameworks)
        {
            if (configuration.Level == LogLevel.Information) logging.AddFilter(framework, LogLevel.Warning);
        }

        // The host tells of start and stop, and Kestrel of the addresses.
        logging.AddFilter("Microsoft.Hosting.Lifetime", configuration.Level);
        if (configuration.Format == LogFormat.Json)
        {
            logging.AddJsonConsole(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
            return;
        }

        logging.AddConsole(options => options.FormatterName = LineFormatter.FormatterName);
        logging.AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
    }
}
