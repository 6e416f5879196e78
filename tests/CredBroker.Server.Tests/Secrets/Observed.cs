using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using System.Text;
using Microsoft.Extensions.Logging;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>Everything that this process tells of itself: logs of all categories from trace up, activities of all sources, measurements of all meters, events of all event sources.</summary>
internal sealed class Observed : ILoggerProvider
{
    private readonly ConcurrentQueue<(string Where, string Text)> _all = new();
    private readonly ActivityListener _activities;
    private readonly MeterListener _meters = new() { InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
    private readonly Events _events;

    public Observed()
    {
        _activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => Keep($"activity {activity.Source.Name}", TextOf(activity)),
        };
        ActivitySource.AddActivityListener(_activities);
        Listen<byte>();
        Listen<short>();
        Listen<int>();
        Listen<long>();
        Listen<float>();
        Listen<double>();
        Listen<decimal>();
        _meters.Start();
        _events = new Events(Keep);
    }

    public IReadOnlyCollection<(string Where, string Text)> All => _all;

    public ILogger CreateLogger(string categoryName) => new Log(this, categoryName);

    /// <summary>What is measured only when somebody asks.</summary>
    public void AskMeters() => _meters.RecordObservableInstruments();

    public void Dispose()
    {
        _events.Dispose();
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Listen<T>()
        where T : struct => _meters.SetMeasurementEventCallback<T>((instrument, _, tags, _) =>
    {
        var text = new StringBuilder(instrument.Description);
        foreach (var tag in tags) Append(text.Append(' ').Append(tag.Key), tag.Value);
        Keep($"metric {instrument.Meter.Name}/{instrument.Name}", text.ToString());
    });

    private void Keep(string where, string text) => _all.Enqueue((where, text));

    private static string TextOf(Activity activity)
    {
        var text = new StringBuilder($"{activity.OperationName} {activity.DisplayName} {activity.StatusDescription} {activity.TraceStateString}");
        Append(text, activity.TagObjects);
        Append(text, activity.Baggage);
        foreach (var happened in activity.Events) Append(text.Append(happened.Name), happened.Tags);
        foreach (var link in activity.Links) Append(text, link.Tags);
        return text.ToString();
    }

    private static void Append(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null:
                break;
            case string plain:
                text.Append(' ').Append(plain);
                break;
            case byte[] bytes:
                text.Append(' ').Append(Encoding.Latin1.GetString(bytes));
                break;
            case IEnumerable many:
                foreach (var one in many) Append(text, one);
                break;
            default:
                text.Append(' ').Append(value);
                break;
        }
    }

    private sealed class Log(Observed observed, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            observed.Keep($"scope of {category}", Spell(state, state.ToString() ?? ""));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            observed.Keep($"{logLevel} log of {category}", Spell(state, $"{formatter(state, exception)} {exception}"));

        private static string Spell(object? state, string message)
        {
            var text = new StringBuilder(message);
            Append(text, state);
            return text.ToString();
        }
    }

    /// <summary>
    /// Left out are what carries no text of ours and only drowns the rest (the runtime's own), and the two that show the wire by design: <c>Private.InternalDiagnostics</c>
    /// dumps buffers, <c>Microsoft-Diagnostics-DiagnosticSource</c> prints requests with their headers, this test's own among them. Who can listen there has a debugger
    /// in the process, or its diagnostics port, which units and images switch off.
    /// </summary>
    private sealed class Events(Action<string, string> keep) : EventListener
    {
        private static readonly string[] LeftOut = ["Private.InternalDiagnostics", "Microsoft-Diagnostics-DiagnosticSource", "Microsoft-Windows-DotNETRuntime", "System.Threading.Tasks", "System.Buffers", "NativeRuntime", "Microsoft-DotNETCore-EventPipe"];

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (LeftOut.Any(prefix => eventSource.Name.StartsWith(prefix, StringComparison.Ordinal))) return;
            EnableEvents(eventSource, EventLevel.Verbose, EventKeywords.All);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            var text = new StringBuilder(eventData.EventName).Append(eventData.Message);
            Append(text, eventData.Payload);
            // Sources that exist already are enabled while the base is still being constructed.
            keep?.Invoke($"event {eventData.EventSource.Name}", text.ToString());
        }
    }
}
