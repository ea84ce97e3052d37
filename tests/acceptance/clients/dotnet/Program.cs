// A .NET program that speaks the Runtime API: answers an event with what it knows of itself.
using System;
using System.Net.Http;
using System.Text;
using System.Threading;

class Program
{
    static readonly HttpClient client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };

    static void Main()
    {
        var address = Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API");
        var api = "http://" + address + "/2018-06-01/runtime/invocation/";
        Console.WriteLine("up");
        while (true)
        {
            var next = client.GetAsync(api + "next").Result;
            var id = "";
            foreach (var value in next.Headers.GetValues("Lambda-Runtime-Aws-Request-Id")) id = value;
            var received = next.Content.ReadAsStringAsync().Result;
            Console.WriteLine("handling " + received);
            try
            {
                Post(api + id + "/response", Handle(received));
            }
            catch (InvalidOperationException error)
            {
                var told = "{\"errorType\": \"" + error.GetType().Name + "\", \"errorMessage\": \"" + error.Message + "\"}";
                Post(api + id + "/error", told);
            }
        }
    }

    static string Handle(string received)
    {
        if (received == "\"throw\"") throw new InvalidOperationException("no");
        if (received == "\"exit\"") Environment.Exit(3);
        return "{\"event\": " + received + ", \"version\": \"" + Environment.Version + "\", \"handler\": \""
            + Environment.GetEnvironmentVariable("_HANDLER") + "\"}";
    }

    static void Post(string url, string body)
    {
        client.PostAsync(url, new StringContent(body, Encoding.UTF8, "application/json")).Result.EnsureSuccessStatusCode();
    }
}
